package io.lightmill.pipeline.flow;

import io.lightmill.pipeline.checkpoint.Loading;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;

/**
 * The velocity of a batch: under its prompts and, with guidance, away from its negative prompts.
 */
final class GuidedDenoiser implements AutoCloseable {

  private final Guidance guidance;
  private final TensorProbe probe;
  private final Loading parts = new Loading();
  private final Denoiser prompts;
  private final Optional<Denoiser> negative;
  private final Tensor weight;
  private final long[] firstHalf;
  private final long[] secondHalf;

  /**
   * @param weight {@code [batch]}, the guidance argument of each request; stays the caller's
   */
  GuidedDenoiser(
      Guidance guidance,
      FlowNetworks networks,
      FlowPipeline.Encoded encoded,
      TokenGrid grid,
      Tensor weight,
      TensorProbe probe) {
    this.guidance = guidance;
    this.probe = probe;
    this.weight = weight;
    int images = encoded.batch().size();
    this.firstHalf = LongStream.range(0, images).toArray();
    this.secondHalf = LongStream.range(images, 2L * images).toArray();
    try {
      if (guidance.joint() && encoded.negative().isPresent()) {
        PromptEmbeddings both = parts.add(encoded.negative().get().followedBy(encoded.prompts()));
        this.prompts = parts.add(networks.denoiser(both, encoded.batch(), grid));
        this.negative = Optional.of(prompts);
      } else {
        this.prompts = parts.add(networks.denoiser(encoded.prompts(), encoded.batch(), grid));
        this.negative =
            encoded
                .negative()
                .map(texts -> parts.add(networks.denoiser(texts, encoded.batch(), grid)));
      }
    } catch (RuntimeException e) {
      parts.close();
      throw e;
    }
  }

  /** The velocity at a step; of the latents' shape, to be closed by the caller. */
  Tensor velocity(Tensor latents, int step, double timestep) {
    if (negative.isEmpty()) {
      return evaluate(prompts, latents, timestep, step, 0, 1);
    }
    if (guidance.joint()) {
      return joint(latents, step, timestep);
    }
    Tensor positive = evaluate(prompts, latents, timestep, step, 0, 2);
    if (!guidance.guidesAt(timestep)) {
      return positive;
    }
    try (positive;
        Tensor away = evaluate(negative.get(), latents, timestep, step, 1, 2)) {
      return guidance.rule().combine(away, positive, weight, guidance.normLimit());
    }
  }

  private Tensor joint(Tensor latents, int step, double timestep) {
    try (Tensor twice = Tensor.cat(List.of(latents, latents));
        Tensor both = evaluate(prompts, twice, timestep, step, 0, 1);
        Tensor away = both.select(firstHalf);
        Tensor positive = both.select(secondHalf)) {
      return guidance.rule().combine(away, positive, weight, guidance.normLimit());
    }
  }

  private Tensor evaluate(
      Denoiser denoiser, Tensor latents, double timestep, int step, int side, int sides) {
    Tensor velocity = denoiser.velocity(latents, timestep);
    denoiser.record(probe, velocity, step, side, sides);
    return velocity;
  }

  @Override
  public void close() {
    parts.close();
  }
}
