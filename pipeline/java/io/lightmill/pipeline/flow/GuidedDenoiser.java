package io.lightmill.pipeline.flow;

import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.SamplingEfficiency;
import io.lightmill.pipeline.checkpoint.Loading;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * The velocity of a batch: under its prompts and, with guidance, away from its negative prompts.
 */
final class GuidedDenoiser implements AutoCloseable {

  private static final ScriptModule SCRIPT = ScriptModule.of("flow", "Flow");

  private final Guidance guidance;
  private final FlowNetworks networks;
  private final EncodedBatch encoded;
  private final TokenGrid grid;
  private final float[] timesteps;
  private final Tensor weight;
  private final TensorProbe probe;
  private final SamplingEfficiency efficiency;
  private final boolean joint;
  private final Loading parts = new Loading();

  /** The sides that a step has needed so far; null before. */
  private GuidanceSide prompts;

  private GuidanceSide negative;
  private GuidanceSide both;

  /** The velocity under the prompts minus that under the negative prompts, if it is kept. */
  private Tensor difference;

  /**
   * @param encoded stays the caller's
   * @param timesteps of all steps; not to be changed
   * @param weight {@code [batch]}, the guidance argument of each request; stays the caller's
   */
  GuidedDenoiser(
      Guidance guidance,
      FlowNetworks networks,
      EncodedBatch encoded,
      TokenGrid grid,
      float[] timesteps,
      Tensor weight,
      TensorProbe probe) {
    this.guidance = guidance;
    this.networks = networks;
    this.encoded = encoded;
    this.grid = grid;
    this.timesteps = timesteps;
    this.weight = weight;
    this.probe = probe;
    this.efficiency = encoded.batch().get(0).efficiency();
    this.joint =
        (guidance.joint() || efficiency.jointGuidance())
            && (efficiency.steps().isNone() || efficiency.sidesAgree());
  }

  /** The velocity at a step; of the latents' shape, to be closed by the caller. */
  Tensor velocity(Tensor latents, FlowStep step) {
    boolean guided = encoded.negative().isPresent();
    if (!guided
        || !guidance.guidesAt(step.timestep())
        || !efficiency.guidesAt(step.number(), step.count())) {
      return prompts().velocity(latents, step, 0, guided ? 2 : 1);
    }
    boolean cached = efficiency.cachesGuidanceAt(step.number(), step.count());
    if (cached && difference != null) {
      try (Tensor positive = prompts().velocity(latents, step, 0, 2);
          Tensor away = SCRIPT.tensor("subtract", positive, difference)) {
        return combined(away, positive);
      }
    }
    return joint ? bothAtOnce(latents, step) : oneByOne(latents, step);
  }

  private Tensor oneByOne(Tensor latents, FlowStep step) {
    try (Tensor positive = prompts().velocity(latents, step, 0, 2);
        Tensor away = negative().velocity(latents, step, 1, 2)) {
      keepDifference(positive, away);
      return combined(away, positive);
    }
  }

  private Tensor bothAtOnce(Tensor latents, FlowStep step) {
    int images = encoded.batch().size();
    try (Tensor twice = Tensor.cat(List.of(latents, latents));
        Tensor velocities = both().velocity(twice, step, 0, 1);
        Tensor away = velocities.select(LongStream.range(0, images).toArray());
        Tensor positive = velocities.select(LongStream.range(images, 2L * images).toArray())) {
      keepDifference(positive, away);
      return combined(away, positive);
    }
  }

  private Tensor combined(Tensor away, Tensor positive) {
    return guidance.rule().combine(away, positive, weight, guidance.normLimit());
  }

  private void keepDifference(Tensor positive, Tensor away) {
    if (efficiency.guidanceCacheFrom() < 1) {
      if (difference != null) {
        difference.close();
      }
      difference = SCRIPT.tensor("subtract", positive, away);
    }
  }

  private GuidanceSide prompts() {
    if (prompts == null) {
      prompts = side(encoded.prompts(), encoded.batch());
    }
    return prompts;
  }

  private GuidanceSide negative() {
    if (negative == null) {
      negative = side(encoded.negative().orElseThrow(), encoded.batch());
    }
    return negative;
  }

  /** Negative prompts first, as in diffusers. */
  private GuidanceSide both() {
    if (both == null) {
      List<ImageRequest> batch = encoded.batch();
      both =
          side(
              parts.add(encoded.negative().orElseThrow().followedBy(encoded.prompts())),
              Stream.concat(batch.stream(), batch.stream()).toList());
    }
    return both;
  }

  private GuidanceSide side(PromptEmbeddings texts, List<ImageRequest> rows) {
    return parts.add(
        new GuidanceSide(
            networks.denoiser(texts, rows, grid, timesteps),
            efficiency.steps(),
            grid,
            rows.size(),
            probe));
  }

  /** Transformer calls that each image took so far, both sides counted. */
  List<Integer> calls() {
    int images = encoded.batch().size();
    int[] sum = new int[images];
    Stream.of(prompts, negative, both)
        .filter(side -> side != null)
        .map(GuidanceSide::calls)
        .forEach(
            calls -> IntStream.range(0, calls.length).forEach(i -> sum[i % images] += calls[i]));
    return IntStream.of(sum).boxed().toList();
  }

  @Override
  public void close() {
    if (difference != null) {
      difference.close();
    }
    parts.close();
  }
}
