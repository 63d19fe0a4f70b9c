package io.lightmill.pipeline.verify;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.torch.Tensor;
import java.util.Arrays;

/**
 * A tensor's values in Java.
 *
 * @param shape of the tensor
 * @param elements in row-major order
 */
@SuppressWarnings("ArrayRecordComponent") // read once, by comparisons; never compared themselves
record Values(long[] shape, float[] elements) {

  /** The values of a tensor of any type on any device; it stays the caller's. */
  static Values of(Tensor tensor) {
    try (Tensor copy = tensor.to(Device.CPU, DType.F32)) {
      return new Values(tensor.shape(), copy.toFloats());
    }
  }

  boolean finite() {
    for (float element : elements) {
      if (!Float.isFinite(element)) {
        return false;
      }
    }
    return true;
  }

  boolean sameShape(Values other) {
    return Arrays.equals(shape, other.shape);
  }
}
