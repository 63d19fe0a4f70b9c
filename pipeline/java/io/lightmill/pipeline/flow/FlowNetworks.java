package io.lightmill.pipeline.flow;

import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import java.util.List;

/**
 * The loaded networks of a checkpoint, one method per phase. Each phase uses the weights of its own
 * networks only: text encoders, transformer, autoencoder. Safe for use by several threads.
 */
public interface FlowNetworks extends AutoCloseable {

  /** The shape of latents. */
  LatentSpace latents();

  /** Encodes prompts with the text encoders; equal prompts are encoded once. */
  PromptEmbeddings encode(PromptTexts texts, TensorProbe probe);

  /**
   * The transformer with these prompts.
   *
   * @param prompts stay the caller's, and open as long as the denoiser is used
   * @param batch requests of the prompts
   * @param grid tokens of each image
   * @param timesteps of all steps, in [0, 1000]
   */
  Denoiser denoiser(
      PromptEmbeddings prompts, List<ImageRequest> batch, TokenGrid grid, float[] timesteps);

  /**
   * Latents as the transformer reads them. Takes the argument over: returns it or closes it.
   *
   * @param latents {@code [batch, channels, height, width]}
   */
  default Tensor pack(Tensor latents) {
    return latents;
  }

  /**
   * Decodes latents with the autoencoder.
   *
   * @param latents as the transformer reads them; stay the caller's
   * @return {@code [batch, 3, height, width]} in [0, 1]
   */
  Tensor decode(Tensor latents, TokenGrid grid, TensorProbe probe);

  /** Frees the weights. */
  @Override
  void close();
}
