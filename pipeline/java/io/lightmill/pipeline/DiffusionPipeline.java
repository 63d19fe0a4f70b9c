package io.lightmill.pipeline;

import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import java.util.List;
import java.util.Optional;

/** A loaded checkpoint that turns requests into pictures. Safe for use by several threads. */
public interface DiffusionPipeline extends AutoCloseable {

  /**
   * Draws one image per request, in order. On a CPU each image is drawn alone: it depends on its
   * own request to the last bit. Elsewhere the requests are drawn as one batch, on whose size the
   * rounding of an image depends.
   *
   * @param batch requests with one {@link BatchKey}
   */
  List<RgbImage> generate(List<ImageRequest> batch);

  /**
   * Draws the requests as one batch on any device, and lets its steps be watched.
   *
   * @param batch requests with one {@link BatchKey}
   * @param latents to start from instead of noise drawn from the seeds, in the shape of diffusers'
   *     {@code latents=} argument; stays the caller's
   * @param probe sees the intermediate tensors
   * @return pictures {@code [batch, 3, height, width]} in [0, 1], to be closed by the caller
   */
  Tensor draw(List<ImageRequest> batch, Optional<Tensor> latents, TensorProbe probe);

  /**
   * This pipeline under other settings of its own: such values of {@code model_index.json} and such
   * arguments of diffusers' pipeline as no request carries. What it gives shares the weights, is
   * not to be closed, and is closed with this pipeline.
   *
   * @param given settings by their names in diffusers; those not given stay as they are
   */
  default DiffusionPipeline with(ComponentConfig given) {
    return this;
  }

  /** Frees the weights. */
  @Override
  void close();
}
