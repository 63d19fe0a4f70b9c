package io.lightmill.pipeline.checkpoint;

import io.lightmill.pipeline.DType;
import java.nio.ByteBuffer;

/** Numbers of all types as doubles; all but long integers above 2^53 are exact. */
final class Scalar {

  private static final int F16_MANTISSA_BITS = 10;
  private static final int F16_BIAS = 15;
  private static final int F16_NO_NUMBER = 31;

  private Scalar() {}

  /** The number at the start of a little-endian buffer. */
  static double of(DType dtype, ByteBuffer bytes) {
    return switch (dtype) {
      case U8 -> Byte.toUnsignedInt(bytes.get(0));
      case I8 -> bytes.get(0);
      case I16 -> bytes.getShort(0);
      case I32 -> bytes.getInt(0);
      case I64 -> (double) bytes.getLong(0);
      case F16 -> float16(bytes.getShort(0));
      case BF16 -> Float.intBitsToFloat(bytes.getShort(0) << Short.SIZE);
      case F32 -> bytes.getFloat(0);
      case F64 -> bytes.getDouble(0);
      case BOOL -> bytes.get(0) == 0 ? 0 : 1;
    };
  }

  /** IEEE 754's half precision. */
  private static double float16(short bits) {
    int exponent = (bits >> F16_MANTISSA_BITS) & F16_NO_NUMBER;
    double fraction = (bits & ((1 << F16_MANTISSA_BITS) - 1)) / (double) (1 << F16_MANTISSA_BITS);
    double magnitude;
    if (exponent == F16_NO_NUMBER) {
      magnitude = fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
    } else if (exponent == 0) {
      magnitude = Math.scalb(fraction, 1 - F16_BIAS);
    } else {
      magnitude = Math.scalb(1 + fraction, exponent - F16_BIAS);
    }
    return bits < 0 ? -magnitude : magnitude;
  }
}
