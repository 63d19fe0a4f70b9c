package io.lightmill.pipeline.families;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import io.lightmill.pipeline.flow.Family;
import io.lightmill.pipeline.flow.TokenGrid;
import io.lightmill.pipeline.vae.DecodingPasses;
import io.lightmill.pipeline.vae.VaeConfig;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Bytes that a checkpoint needs on a device, computed from its configs: weights exactly,
 * activations by the most that a block holds at once.
 *
 * <ul>
 *   <li>weights: elements × bytes of an element
 *   <li>activations of a transformer or text encoder: images × tokens × (6 × width + 2 × widest
 *       layer) × bytes of an element. A block holds its input, its normed input, queries, keys,
 *       values and the attention's output, and a feed-forward layer before and after its
 *       activation. Attention itself keeps no table of token pairs.
 *   <li>activations of an autoencoder: images of one pass × pixels × 4 × channels × bytes of an
 *       element, with the channels that its last level begins with: the input of a residual block,
 *       its normed input, and a convolution's output and workspace. {@link DecodingPasses} says how
 *       many images of a batch a pass decodes.
 * </ul>
 *
 * @param networks what each takes, text encoders first
 * @param batchSize images at once
 */
public record MemoryPlan(List<Network> networks, int batchSize) {

  private static final String TRANSFORMER = "transformer";
  private static final String VAE = "vae";
  private static final int STREAMS = 6;
  private static final int WIDEST = 2;
  private static final int CONVOLUTION = 4;

  /**
   * One of the networks, or all text encoders together.
   *
   * @param name {@code text_encoder}, {@code transformer} or {@code vae}
   * @param parameters elements of all weights that are loaded
   * @param weights in bytes
   * @param activations in bytes, while it runs
   */
  public record Network(String name, long parameters, long weights, long activations) {}

  public MemoryPlan {
    networks = List.copyOf(networks);
  }

  /**
   * Plans a checkpoint by its configs.
   *
   * @param promptTokens that the text encoders read
   */
  public static MemoryPlan of(
      Checkpoint checkpoint, DType dtype, int width, int height, int promptTokens, int batchSize) {
    Family family = Families.of(checkpoint);
    Map<String, WeightLayout> layouts = family.networks(checkpoint);
    VaeConfig vae = family.vae(checkpoint);
    long pixels = (long) width * height;
    long side = (long) vae.scaleFactor() * TokenGrid.PATCH;
    long tokens = pixels / (side * side) + promptTokens;
    long sides = family.guidance(checkpoint).joint() ? 2 : 1;
    Map<String, List<WeightLayout>> groups =
        layouts.entrySet().stream()
            .collect(
                Collectors.groupingBy(
                    entry -> entry.getKey().replaceFirst("_\\d+$", ""),
                    TreeMap::new,
                    Collectors.mapping(Map.Entry::getValue, Collectors.toList())));
    return new MemoryPlan(
        groups.entrySet().stream()
            .map(
                group -> {
                  long activated =
                      switch (group.getKey()) {
                        case TRANSFORMER -> sides * batchSize * tokens * live(group.getValue());
                        case VAE ->
                            Math.min(batchSize, DecodingPasses.of(pixels).images())
                                * pixels
                                * CONVOLUTION
                                * vae.fullSizeChannels();
                        default -> batchSize * (long) promptTokens * live(group.getValue());
                      };
                  long parameters = group.getValue().stream().mapToLong(MemoryPlan::count).sum();
                  return new Network(
                      group.getKey(),
                      parameters,
                      parameters * dtype.bytes(),
                      activated * dtype.bytes());
                })
            .sorted(Comparator.comparing(Network::name))
            .toList(),
        batchSize);
  }

  /** Elements of a layout. */
  private static long count(WeightLayout layout) {
    return layout.shapes().values().stream()
        .mapToLong(shape -> shape.stream().reduce(1L, Math::multiplyExact))
        .sum();
  }

  /** Channels that a token has in a block at its fullest, of the widest of some networks. */
  private static long live(List<WeightLayout> layouts) {
    return layouts.stream().mapToLong(MemoryPlan::live).max().orElse(0);
  }

  private static long live(WeightLayout layout) {
    Map<Long, Long> inputs =
        layout.linears().stream()
            .map(layer -> layout.shapes().get(layer + ".weight").get(1))
            .collect(Collectors.groupingBy(input -> input, Collectors.counting()));
    long width =
        inputs.entrySet().stream().max(Map.Entry.comparingByValue()).orElseThrow().getKey();
    long widest =
        layout.linears().stream()
            .filter(layer -> !isModulation(layer))
            .flatMap(layer -> layout.shapes().get(layer + ".weight").stream())
            .mapToLong(Long::longValue)
            .max()
            .orElseThrow();
    return STREAMS * width + WIDEST * widest;
  }

  /** Layers outside of blocks, and those over the timestep instead of the tokens. */
  private static boolean isModulation(String layer) {
    return layer.matches(".*(norm\\w*\\.linear|_mod\\.1|modulation.*|embed.*|txt_in)");
  }

  /** What one of the networks takes; nothing if the checkpoint lacks it. */
  public Network network(String name) {
    return networks.stream()
        .filter(network -> network.name().equals(name))
        .findFirst()
        .orElse(new Network(name, 0, 0, 0));
  }

  /** Bytes of all weights. */
  public long weights() {
    return networks.stream().mapToLong(Network::weights).sum();
  }

  /** The most bytes of activations at once, since one network runs after the other. */
  public long activations() {
    return networks.stream().mapToLong(Network::activations).max().orElse(0);
  }

  /** The most bytes at once with all networks on the device. */
  public long peakResident() {
    return weights() + activations();
  }

  /** The most bytes at once with text encoders, transformer and autoencoder one after the other. */
  public long peakOffloaded() {
    return networks.stream()
        .mapToLong(network -> network.weights() + network.activations())
        .max()
        .orElse(0);
  }
}
