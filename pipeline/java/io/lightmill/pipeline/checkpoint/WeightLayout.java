package io.lightmill.pipeline.checkpoint;

import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;

/**
 * The names and shapes of the tensors that a network uses, as its config determines them. Weight
 * files are checked against it before anything is loaded.
 *
 * <p>A network declares its tensors layer by layer, under PyTorch's layer names.
 */
public final class WeightLayout {

  /** What a network does with a tensor, as far as kernels need to know. */
  enum Use {
    /** The weight {@code [outputs, inputs]} of a linear layer. */
    LINEAR,
    /** The kernel of a convolution that keeps the size. */
    CONVOLUTION,
    /** The kernel of such a convolution after an upsampling by the nearest pixels. */
    UPSAMPLING,
    OTHER
  }

  private final Map<String, List<Long>> shapes = new LinkedHashMap<>();
  private final Set<String> linears = new LinkedHashSet<>();
  private final Map<String, Use> uses = new HashMap<>();
  private UnaryOperator<String> rename = UnaryOperator.identity();
  private String unused = "";

  /** One tensor of this shape. */
  public WeightLayout tensor(String name, long... shape) {
    if (shapes.put(name, LongStream.of(shape).boxed().toList()) != null) {
      throw new IllegalArgumentException("the tensor " + name + " is declared twice");
    }
    return this;
  }

  /** A linear layer: {@code name.weight [outputs, inputs]} and {@code name.bias [outputs]}. */
  public WeightLayout linear(String name, long inputs, long outputs) {
    return linearWithoutBias(name, inputs, outputs).tensor(name + ".bias", outputs);
  }

  /** A linear layer with only {@code name.weight [outputs, inputs]}. */
  public WeightLayout linearWithoutBias(String name, long inputs, long outputs) {
    linears.add(name);
    uses.put(name + ".weight", Use.LINEAR);
    return tensor(name + ".weight", outputs, inputs);
  }

  /** A normalisation with {@code name.weight} and {@code name.bias}, both {@code [width]}. */
  public WeightLayout norm(String name, long width) {
    return tensor(name + ".weight", width).tensor(name + ".bias", width);
  }

  /** A convolution with a square kernel and a bias that keeps the size. */
  public WeightLayout convolution(String name, long inputs, long outputs, long kernel) {
    return kernel(name, Use.CONVOLUTION, inputs, outputs, kernel);
  }

  /** A convolution with a kernel of 3 × 3 after an upsampling by the nearest pixels. */
  public WeightLayout upsampling(String name, long inputs, long outputs) {
    return kernel(name, Use.UPSAMPLING, inputs, outputs, 3);
  }

  private WeightLayout kernel(String name, Use use, long inputs, long outputs, long side) {
    uses.put(name + ".weight", use);
    return tensor(name + ".weight", outputs, inputs, side, side).tensor(name + ".bias", outputs);
  }

  /**
   * Sets how files of other releases name the tensors.
   *
   * @param rename from the file's name to the network's
   */
  public WeightLayout named(UnaryOperator<String> rename) {
    this.rename = rename;
    return this;
  }

  /**
   * Sets which further tensors files may hold that the network does not use.
   *
   * @param names regular expression that matches whole names, after {@link #named}
   */
  public WeightLayout unused(String names) {
    this.unused = names;
    return this;
  }

  /** The network's name of a tensor or layer, from the file's name. */
  public String name(String stored) {
    return rename.apply(stored);
  }

  /** Whether a file may hold a tensor of this name that the network does not use. */
  boolean isUnused(String name) {
    return name.matches(unused);
  }

  /** The declared shapes by name. */
  public Map<String, List<Long>> shapes() {
    return Collections.unmodifiableMap(shapes);
  }

  /** The size of one dimension of a declared tensor. */
  public int size(String name, int dimension) {
    return Math.toIntExact(shapes.get(name).get(dimension));
  }

  /** How a network uses a declared tensor. */
  Use use(String name) {
    return uses.getOrDefault(name, Use.OTHER);
  }

  /** The names of the linear layers, whose weights are {@code name.weight [outputs, inputs]}. */
  public Set<String> linears() {
    return Collections.unmodifiableSet(linears);
  }
}
