package io.lightmill.pipeline.zimage;

import com.fasterxml.jackson.databind.JsonNode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.schedule.Flow;
import io.lightmill.pipeline.schedule.Velocity;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import java.util.List;
import java.util.Optional;

/**
 * The velocity that a batch follows: the transformer's under its prompts and, with guidance, away
 * from that under the negative prompts.
 */
final class ZImageGuidance implements Velocity, AutoCloseable {

  /**
   * Arguments of diffusers' {@code ZImagePipeline} that no request carries; a model card may give
   * them.
   *
   * @param cfgNormalization how many times the norm of the positive part guidance may reach; 0 for
   *     any
   * @param cfgTruncation model time, from 0 at the noise to 1 at the picture, after which nothing
   *     is guided
   */
  record Settings(double cfgNormalization, double cfgTruncation) {

    /** The defaults of diffusers' pipeline. */
    static final Settings DEFAULT = new Settings(0, 1);

    /** These settings, but for those that are given. */
    Settings with(ComponentConfig given) {
      return new Settings(
          factor(given, "cfg_normalization", cfgNormalization),
          given.number("cfg_truncation", cfgTruncation));
    }

    /** A number, or true for 1 and false for 0. */
    private static double factor(ComponentConfig given, String key, double absent) {
      JsonNode value = given.json().path(key);
      return value.isBoolean() ? (given.flag(key, false) ? 1 : 0) : given.number(key, absent);
    }

    /** Whether guidance is on at a timestep in [0, 1000], 1000 being pure noise. */
    boolean guidesAt(double timestep) {
      float modelTime = (1000 - (float) timestep) / 1000;
      return cfgTruncation > 1 || modelTime <= cfgTruncation;
    }
  }

  private final ZImageTransformer transformer;
  private final Settings settings;
  private final ZImageTransformer.Captions prompts;
  private final Optional<ZImageTransformer.Captions> negative;
  private final TensorProbe probe;
  private final Tensor scale;

  ZImageGuidance(
      Flow flow,
      ZImageTransformer transformer,
      Settings settings,
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
