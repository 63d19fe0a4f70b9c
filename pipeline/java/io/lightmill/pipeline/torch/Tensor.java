package io.lightmill.pipeline.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.IValue;

/**
 * A handle on a tensor of the engine. Java passes handles from one network to the next and never
 * computes on them; it reads values only as {@code float}, {@code long} or bytes.
 *
 * <p>Nothing finalizes a handle: whoever gets one closes it.
 */
public final class Tensor implements AutoCloseable {

  private final IValue value;

  Tensor(IValue value) {
    this.value = value;
  }

  /** A 32-bit float tensor on the CPU. */
  public static Tensor of(float[] values, long... shape) {
    return of(manager -> manager.create(values, new Shape(shape)));
  }

  /** A 64-bit integer tensor on the CPU. */
  public static Tensor of(long[] values, long... shape) {
    return of(manager -> manager.create(values, new Shape(shape)));
  }

  private static Tensor of(java.util.function.Function<NDManager, NDArray> creation) {
    try (NDManager manager = Torch.manager();
        NDArray array = creation.apply(manager)) {
      return new Tensor(IValue.from((PtNDArray) array));
    }
  }

  public long[] shape() {
    try (NDManager manager = Torch.manager();
        NDArray array = value.toTensor((PtNDManager) manager)) {
      return array.getShape().getShape();
    }
  }

  /** The elements in row-major order; the tensor must be of type F32. */
  public float[] toFloats() {
    try (NDManager manager = Torch.manager();
        NDArray array = value.toTensor((PtNDManager) manager)) {
      return array.toFloatArray();
    }
  }

  /** The elements in row-major order; the tensor must be of type I64. */
  public long[] toLongs() {
    try (NDManager manager = Torch.manager();
        NDArray array = value.toTensor((PtNDManager) manager)) {
      return array.toLongArray();
    }
  }

  /** The elements in row-major order; the tensor must be of type U8. */
  public byte[] toBytes() {
    try (NDManager manager = Torch.manager();
        NDArray array = value.toTensor((PtNDManager) manager)) {
      return array.toByteArray();
    }
  }

  IValue value() {
    return value;
  }

  @Override
  public void close() {
    value.close();
  }
}
