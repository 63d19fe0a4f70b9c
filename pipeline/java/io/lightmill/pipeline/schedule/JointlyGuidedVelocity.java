package io.lightmill.pipeline.schedule;

import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import java.util.List;
import java.util.stream.LongStream;

/**
 * The velocity under the prompts of a batch and, with guidance, away from that under its negative
 * prompts: both in one evaluation a step.
 */
public final class JointlyGuidedVelocity implements Velocity, AutoCloseable {

  private final Flow flow;
  private final GuidedVelocity.Evaluation evaluation;
  private final boolean guided;
  private final TensorProbe probe;
  private final Tensor scale;
  private final long[] first;
  private final long[] second;

  /**
   * Guides a batch by {@code guidance_scale}.
   *
   * @param evaluation of latents, if guided of those of the batch twice: under its negative
   *     prompts, then under its prompts
   * @param probe sees each evaluation
   */
  public JointlyGuidedVelocity(
      Flow flow,
      List<ImageRequest> batch,
      GuidedVelocity.Evaluation evaluation,
      boolean guided,
      TensorProbe probe) {
    this.flow = flow;
    this.evaluation = evaluation;
    this.guided = guided;
    this.probe = probe;
    this.first = LongStream.range(0, batch.size()).toArray();
    this.second = LongStream.range(batch.size(), 2L * batch.size()).toArray();
    this.scale = flow.column(batch, ImageRequest::guidanceScale);
  }

  @Override
  public Tensor at(Tensor latents, int step, double timestep) {
    if (!guided) {
      return velocity(latents, timestep, step);
    }
    try (Tensor twice = flow.cat(List.of(first, first), rows -> flow.select(latents, rows));
        Tensor both = velocity(twice, timestep, step);
        Tensor away = flow.select(both, first);
        Tensor towards = flow.select(both, second)) {
      return flow.guide(away, towards, scale);
    }
  }

  private Tensor velocity(Tensor latents, double timestep, int call) {
    Tensor velocity = evaluation.at(latents, timestep);
    probe.record("tr.%d.out".formatted(call), velocity);
    return velocity;
  }

  @Override
  public void close() {
    scale.close();
  }
}
