package io.lightmill.pipeline.zimage;

import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.TensorProbe;
import io.lightmill.pipeline.schedule.Flow;
import io.lightmill.pipeline.schedule.Velocity;
import io.lightmill.pipeline.torch.Tensor;
import java.util.List;
import java.util.Optional;

/**
 * The velocity that a batch follows: the transformer's under its prompts and, with guidance, away
 * from that under the negative prompts.
 */
final class ZImageGuidance implements Velocity, AutoCloseable {

  private final ZImageTransformer transformer;
  private final ZImageSettings settings;
  private final ZImageTransformer.Captions prompts;
  private final Optional<ZImageTransformer.Captions> negative;
  private final TensorProbe probe;
  private final Tensor scale;

  ZImageGuidance(
      Flow flow,
      ZImageTransformer transformer,
      ZImageSettings settings,
      List<ImageRequest> batch,
      ZImageTransformer.Captions prompts,
      Optional<ZImageTransformer.Captions> negative,
      TensorProbe probe) {
    this.transformer = transformer;
    this.settings = settings;
    this.prompts = prompts;
    this.negative = negative;
    this.probe = probe;
    this.scale = flow.column(batch, ImageRequest::guidanceScale);
  }

  @Override
  public Tensor at(Tensor latents, int step, double timestep) {
    try (Tensor positive = out(latents, prompts, timestep, step, 0)) {
      if (negative.isEmpty() || !settings.guidesAt(timestep)) {
        return ZImageTransformer.velocity(positive);
      }
      int images = prompts.lengths().length;
      try (Tensor away = out(latents, negative.get(), timestep, step, images)) {
        return ZImageTransformer.guided(away, positive, scale, settings.cfgNormalization());
      }
    }
  }

  /** Diffusers makes one call of both halves, whose second begins at a number of its own. */
  private Tensor out(
      Tensor latents, ZImageTransformer.Captions of, double timestep, int call, int firstPart) {
    Tensor out = transformer.out(latents, of, timestep);
    for (int i = 0; i < of.lengths().length; i++) {
      try (Tensor part = ZImageTransformer.part(out, i)) {
        probe.record("tr.%d.out.%d".formatted(call, firstPart + i), part);
      }
    }
    return out;
  }

  @Override
  public void close() {
    scale.close();
  }
}
