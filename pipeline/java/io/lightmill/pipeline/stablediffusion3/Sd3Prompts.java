package io.lightmill.pipeline.stablediffusion3;

import io.lightmill.pipeline.schedule.Flow;
import io.lightmill.pipeline.torch.Tensor;
import java.util.List;

/**
 * Encoded prompts of a batch.
 *
 * @param context {@code [batch, tokens, width]}: of both CLIPs side by side, then of T5
 * @param pooled of both CLIPs, {@code [batch, width]}
 */
record Sd3Prompts(Tensor context, Tensor pooled) implements AutoCloseable {

  /** Joins what the encoders say of the same prompts; their tensors stay the caller's. */
  static Sd3Prompts of(Sd3Clip.Reading clip, Sd3Clip.Reading clip2, Tensor t5) {
    return new Sd3Prompts(
        Sd3Transformer.NETWORK.tensor("context", clip.hidden(), clip2.hidden(), t5),
        Sd3Transformer.NETWORK.tensor("pooled", clip.textEmbeds(), clip2.textEmbeds()));
  }

  /** These rows of each, one after the other; the given prompts stay the caller's. */
  static Sd3Prompts cat(Flow flow, List<Sd3Prompts> prompts, long[] rows) {
    return new Sd3Prompts(
        flow.cat(prompts, each -> flow.select(each.context(), rows)),
        flow.cat(prompts, each -> flow.select(each.pooled(), rows)));
  }

  @Override
  public void close() {
    pooled.close();
    context.close();
  }
}
