package io.lightmill.pipeline.checkpoint;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/**
 * The tensors that a network computes with, by name and shape, as its config decides them. Weight
 * files are held against it before anything is loaded.
 *
 * <p>A network states its tensors layer by layer, under PyTorch's layer names.
 */
public final class WeightLayout {

  private final Map<String, List<Long>> shapes = new LinkedHashMap<>();

  /** One tensor of this shape. */
  public WeightLayout tensor(String name, long... shape) {
    if (shapes.put(name, LongStream.of(shape).boxed().toList()) != null) {
      throw new IllegalArgumentException("the tensor " + name + " is stated twice");
    }
    return this;
  }

  /** A linear layer: {@code name.weight [outputs, inputs]} and {@code name.bias [outputs]}. */
  public WeightLayout linear(String name, long inputs, long outputs) {
    return linearWithoutBias(name, inputs, outputs).tensor(name + ".bias", outputs);
  }

  /** A linear layer of {@code name.weight [outputs, inputs]} alone. */
  public WeightLayout linearWithoutBias(String name, long inputs, long outputs) {
    return tensor(name + ".weight", outputs, inputs);
  }

  /** A normalisation with {@code name.weight} and {@code name.bias}, both {@code [width]}. */
  public WeightLayout norm(String name, long width) {
    return tensor(name + ".weight", width).tensor(name + ".bias", width);
  }

  /** A convolution by a square kernel, with a bias. */
  public WeightLayout convolution(String name, long inputs, long outputs, long kernel) {
    return tensor(name + ".weight", outputs, inputs, kernel, kernel)
        .tensor(name + ".bias", outputs);
  }

  /** The stated shapes by name. */
  Map<String, List<Long>> shapes() {
    return Map.copyOf(shapes);
  }
}
