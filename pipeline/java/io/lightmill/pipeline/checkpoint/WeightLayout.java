package io.lightmill.pipeline.checkpoint;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;

/**
 * The tensors that a network computes with, by name and shape, as its config decides them. Weight
 * files are held against it before anything is loaded.
 *
 * <p>A network states its tensors layer by layer, under PyTorch's layer names.
 */
public final class WeightLayout {

  private final Map<String, List<Long>> shapes = new LinkedHashMap<>();
  private final Set<String> linears = new LinkedHashSet<>();
  private UnaryOperator<String> rename = UnaryOperator.identity();
  private String unused = "";

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
    linears.add(name);
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

  /**
   * Says how files of other releases name the tensors.
   *
   * @param rename from the file's name to the network's
   */
  public WeightLayout named(UnaryOperator<String> rename) {
    this.rename = rename;
    return this;
  }

  /**
   * Says which tensors files have besides, for what no picture needs.
   *
   * @param names regular expression over whole names, as {@link #named} leaves them
   */
  public WeightLayout unused(String names) {
    this.unused = names;
    return this;
  }

  /** The network's name of a tensor or layer that a file names so. */
  public String name(String stored) {
    return rename.apply(stored);
  }

  /** Whether a file may have a tensor of this name that the network does not compute with. */
  boolean leaves(String name) {
    return name.matches(unused);
  }

  /** The stated shapes by name. */
  public Map<String, List<Long>> shapes() {
    return Collections.unmodifiableMap(shapes);
  }

  /** The names of the linear layers, whose weights are {@code name.weight [outputs, inputs]}. */
  public Set<String> linears() {
    return Collections.unmodifiableSet(linears);
  }
}
