package io.lightmill.pipeline.flux;

import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.TensorProbe;
import io.lightmill.pipeline.schedule.Flow;
import io.lightmill.pipeline.schedule.TokenGrid;
import io.lightmill.pipeline.schedule.Velocity;
import io.lightmill.pipeline.torch.Tensor;
import java.util.List;
import java.util.Optional;

/**
 * The velocity that a batch follows: the transformer's under its prompts and, with true guidance,
 * away from that under the negative prompts.
 */
final class FluxGuidance implements Velocity, AutoCloseable {

  private final Flow flow;
  private final FluxTransformer transformer;
  private final FluxPrompts prompts;
  private final Optional<FluxPrompts> negative;
  private final TensorProbe probe;
  private final Tensor embedded;
  private final Tensor trueCfg;
  private final Tensor rope;

  FluxGuidance(
      Flow flow,
      FluxTransformer transformer,
      List<ImageRequest> batch,
      FluxPrompts prompts,
      Optional<FluxPrompts> negative,
      TokenGrid grid,
      TensorProbe probe) {
    this.flow = flow;
    this.transformer = transformer;
    this.prompts = prompts;
    this.negative = negative;
    this.probe = probe;
    this.embedded = flow.column(batch, ImageRequest::guidanceScale);
    this.trueCfg = flow.column(batch, ImageRequest::trueCfgScale);
    this.rope = transformer.rope(prompts.tokens(), grid);
  }

  @Override
  public Tensor at(Tensor latents, int step, double timestep) {
    if (negative.isEmpty()) {
      return velocity(latents, prompts, timestep, step);
    }
    try (Tensor towards = velocity(latents, prompts, timestep, 2 * step);
        Tensor away = velocity(latents, negative.get(), timestep, 2 * step + 1)) {
      return flow.guide(away, towards, trueCfg);
    }
  }

  private Tensor velocity(Tensor latents, FluxPrompts of, double timestep, int call) {
    Tensor velocity = transformer.velocity(latents, of, timestep, embedded, rope);
    probe.record("tr.%d.out".formatted(call), velocity);
    return velocity;
  }

  @Override
  public void close() {
    rope.close();
    trueCfg.close();
    embedded.close();
  }
}
