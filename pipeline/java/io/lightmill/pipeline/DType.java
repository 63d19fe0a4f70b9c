package io.lightmill.pipeline;

/**
 * Element types of tensors, under the names of safetensors headers.
 *
 * <p>They are passed to TorchScript as the numbers of {@code c10::ScalarType}; DJL's own {@code
 * DataType} is never used for 16-bit types, since passing its BFLOAT16 aborts the JVM.
 */
public enum DType {
  U8(0, 1),
  I8(1, 1),
  I16(2, 2),
  I32(3, 4),
  I64(4, 8),
  F16(5, 2),
  F32(6, 4),
  F64(7, 8),
  BOOL(11, 1),
  BF16(15, 2);

  private final int scalarType;
  private final int bytes;

  DType(int scalarType, int bytes) {
    this.scalarType = scalarType;
    this.bytes = bytes;
  }

  /** The number of the type in TorchScript. */
  public int scalarType() {
    return scalarType;
  }

  /** Whether the elements are floating-point numbers, which the networks compute with. */
  public boolean floating() {
    return switch (this) {
      case F16, BF16, F32, F64 -> true;
      case U8, I8, I16, I32, I64, BOOL -> false;
    };
  }

  /** Bytes of one element. */
  public int bytes() {
    return bytes;
  }
}
