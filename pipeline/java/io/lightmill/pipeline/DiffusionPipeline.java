package io.lightmill.pipeline;

import java.util.List;

/** A loaded checkpoint that turns requests into pictures. Safe for use by several threads. */
public interface DiffusionPipeline extends AutoCloseable {

  /**
   * Draws one picture per request, in order. A picture depends on its own request alone, whatever
   * shares its batch.
   *
   * @param batch requests that {@link BatchKey} puts together: same size, steps, sequence length
   *     and kind of guidance
   * @param probe sees the intermediate tensors under the names of diffusers' reference recordings
   * @throws LightmillException with {@link ErrorCode#GENERATION_FAILED} if the engine fails
   */
  List<RgbImage> generate(List<ImageRequest> batch, TensorProbe probe);

  /** Draws without being watched. */
  default List<RgbImage> generate(List<ImageRequest> batch) {
    return generate(batch, TensorProbe.NONE);
  }

  /** Frees the weights. */
  @Override
  void close();
}
