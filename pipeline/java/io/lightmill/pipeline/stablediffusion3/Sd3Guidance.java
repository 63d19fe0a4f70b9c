package io.lightmill.pipeline.stablediffusion3;

import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.TensorProbe;
import io.lightmill.pipeline.schedule.Flow;
import io.lightmill.pipeline.schedule.Velocity;
import io.lightmill.pipeline.torch.Tensor;
import java.util.List;
import java.util.stream.LongStream;

/**
 * The velocity that a batch follows: the transformer's under its prompts and, if guided, away from
 * that under the negative prompts, both in one call.
 */
final class Sd3Guidance implements Velocity, AutoCloseable {

  private final Flow flow;
  private final Sd3Transformer transformer;
  private final Sd3Prompts prompts;
  private final boolean guided;
  private final TensorProbe probe;
  private final Tensor scale;
  private final long[] first;
  private final long[] second;

  /**
   * Guides a batch.
   *
   * @param prompts one for each image; if guided, the negative ones of all before those; stays the
   *     caller's
   */
  Sd3Guidance(
      Flow flow,
      Sd3Transformer transformer,
      List<ImageRequest> batch,
      Sd3Prompts prompts,
      boolean guided,
      TensorProbe probe) {
    this.flow = flow;
    this.transformer = transformer;
    this.prompts = prompts;
    this.guided = guided;
    this.probe = probe;
    this.first = LongStream.range(0, batch.size()).toArray();
    this.second = LongStream.range(batch.size(), 2L * batch.size()).toArray();
    float[] scales = new float[batch.size()];
    for (int i = 0; i < scales.length; i++) {
      scales[i] = (float) batch.get(i).guidanceScale();
    }
    this.scale = flow.onDevice(Tensor.of(scales, scales.length));
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
    Tensor velocity = transformer.velocity(latents, prompts, timestep);
    probe.record("tr.%d.out".formatted(call), velocity);
    return velocity;
  }

  @Override
  public void close() {
    scale.close();
  }
}
