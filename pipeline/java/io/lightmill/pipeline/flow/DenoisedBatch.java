package io.lightmill.pipeline.flow;

import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.torch.Tensor;
import java.util.List;

/**
 * The result of {@link FlowPipeline#denoise}.
 *
 * @param batch that was denoised
 * @param latents as the transformer reads them
 * @param transformerCalls that each image took, both sides of guidance counted
 */
public record DenoisedBatch(
    List<ImageRequest> batch, Tensor latents, List<Integer> transformerCalls)
    implements AutoCloseable {

  @Override
  public void close() {
    latents.close();
  }
}
