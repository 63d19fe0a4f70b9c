package io.lightmill.pipeline.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.IValue;
import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** A tensor of the engine. Java reads its values only as {@code float}, {@code long} or bytes. */
public final class Tensor extends EngineValue implements TensorCache.Shared<Tensor> {

  /** Up to so many values, DJL's arrays take longer to make than to fill. */
  private static final int LIST = 1024;

  private final IValue value;

  Tensor(IValue value) {
    this.value = value;
  }

  @Override
  IValue value() {
    return value;
  }

  /** A tensor of type F32 on the CPU. */
  public static Tensor of(float[] values, long... shape) {
    if (isSmall(values.length, shape)) {
      double[] wide = new double[values.length];
      for (int i = 0; i < wide.length; i++) {
        wide[i] = values[i];
      }
      return script().tensor("of_floats", wide, shape);
    }
    return create(manager -> manager.create(values, new Shape(shape)));
  }

  /** A tensor of type I64 on the CPU. */
  public static Tensor of(long[] values, long... shape) {
    if (isSmall(values.length, shape)) {
      return script().tensor("of_longs", values, shape);
    }
    return create(manager -> manager.create(values, new Shape(shape)));
  }

  /** A tensor of type U8 on the CPU. */
  public static Tensor of(byte[] values, long... shape) {
    return create(
        manager -> manager.create(ByteBuffer.wrap(values), new Shape(shape), DataType.UINT8));
  }

  /** A vector of the device and the type. */
  public static Tensor of(float[] values, Device device, DType dtype) {
    try (Tensor onCpu = of(values, values.length)) {
      return onCpu.to(device, dtype);
    }
  }

  /** Joins tensors along the first dimension; they stay the caller's. */
  public static Tensor cat(List<Tensor> tensors) {
    return script().tensor("cat", (Object) tensors.toArray(new Tensor[0]));
  }

  /** Makes one tensor of each part and joins them along the first dimension. */
  public static <T> Tensor cat(List<T> parts, Function<T, Tensor> making) {
    List<Tensor> made = new ArrayList<>();
    try {
      parts.forEach(part -> made.add(making.apply(part)));
      return cat(made);
    } finally {
      made.forEach(Tensor::close);
    }
  }

  /** This tensor on a device and in a type; it may share this tensor's memory. */
  public Tensor to(Device device, DType dtype) {
    return script().tensor("to", this, device, dtype);
  }

  /** This tensor on a device; it may share this tensor's memory. */
  public Tensor to(Device device) {
    return script().tensor("on", this, device);
  }

  /** Another handle on this tensor: its memory is freed when the last handle is closed. */
  @Override
  public Tensor share() {
    return script().tensor("same", this);
  }

  /** Bytes of the elements. */
  @Override
  public long bytes() {
    try (Tensor size = script().tensor("byte_size", this)) {
      return size.toLongs()[0];
    }
  }

  /**
   * Joins tensors along the first dimension, with zeros at the end of the second where one is
   * shorter than others; they stay the caller's.
   */
  public static Tensor catPadded(List<Tensor> tensors) {
    return script().tensor("cat_padded", (Object) tensors.toArray(new Tensor[0]));
  }

  /** Rows of the first dimension, in this order; a row may occur several times. */
  public Tensor select(long... rows) {
    return script().tensor("select", this, rows);
  }

  /** Of type U8: 1 for each row of the first dimension whose numbers are all finite, else 0. */
  public Tensor finiteRows() {
    return script().tensor("finite_rows", this);
  }

  private static ScriptModule script() {
    return ScriptModule.of("tensors", "Tensors");
  }

  public long[] shape() {
    return read(array -> array.getShape().getShape());
  }

  /** The elements in row-major order; the tensor must be of type F32. */
  public float[] toFloats() {
    return read(NDArray::toFloatArray);
  }

  /** The elements in row-major order; the tensor must be of type I64. */
  public long[] toLongs() {
    return read(NDArray::toLongArray);
  }

  /** The elements in row-major order; the tensor must be of type U8. */
  public byte[] toBytes() {
    return read(NDArray::toByteArray);
  }

  /** Whether the engine takes the values faster as a list; it takes no empty list. */
  private static boolean isSmall(int values, long... shape) {
    return values > 0 && values <= LIST && shape.length > 0;
  }

  /** Copied, because DJL's array is a view of a Java buffer that dies with the array. */
  private static Tensor create(Function<NDManager, NDArray> creation) {
    try (NDManager manager = Torch.manager();
        NDArray view = creation.apply(manager);
        NDArray owned = view.duplicate()) {
      return new Tensor(IValue.from((PtNDArray) owned));
    }
  }

  private <T> T read(Function<NDArray, T> reading) {
    try (NDManager manager = Torch.manager();
        NDArray array = value().toTensor((PtNDManager) manager)) {
      return reading.apply(array);
    }
  }

  @Override
  public void close() {
    value.close();
  }
}
