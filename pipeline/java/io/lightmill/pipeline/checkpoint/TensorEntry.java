package io.lightmill.pipeline.checkpoint;

import io.lightmill.pipeline.DType;
import java.util.ArrayList;
import java.util.List;

/**
 * One tensor of a safetensors file.
 *
 * @param name in the checkpoint
 * @param dtype of its elements
 * @param shape empty for a scalar
 * @param offset of its first byte from the file's start
 */
public record TensorEntry(String name, DType dtype, List<Long> shape, long offset) {

  public TensorEntry {
    shape = List.copyOf(shape);
  }

  /** Number of elements. */
  public long count() {
    return shape.stream().reduce(1L, Math::multiplyExact);
  }

  /** Size in the file. */
  public long bytes() {
    return Math.multiplyExact(count(), dtype.bytes());
  }

  /** Some of its rows as a separate tensor. */
  TensorEntry rows(String name, long first, long count) {
    List<Long> part = new ArrayList<>(shape);
    part.set(0, count);
    long rowBytes = bytes() / shape.get(0);
    return new TensorEntry(name, dtype, part, offset + first * rowBytes);
  }
}
