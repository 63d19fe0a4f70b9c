package io.lightmill.pipeline.flow;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.checkpoint.Loading;
import java.util.List;
import java.util.Optional;

/**
 * The result of {@link FlowPipeline#encode}.
 *
 * @param batch that was encoded
 * @param prompts its prompts, in the host's memory or on the device
 * @param negative its negative prompts; empty without guidance
 */
public record EncodedBatch(
    List<ImageRequest> batch, PromptEmbeddings prompts, Optional<PromptEmbeddings> negative)
    implements AutoCloseable {

  @Override
  public void close() {
    negative.ifPresent(PromptEmbeddings::close);
    prompts.close();
  }

  /** On a device; shares memory with this if it is on it already. */
  EncodedBatch to(Device device) {
    try (Loading loading = new Loading()) {
      PromptEmbeddings onDevice = loading.add(prompts.to(device));
      Optional<PromptEmbeddings> negativeOnDevice = negative.map(texts -> texts.to(device));
      loading.complete();
      return new EncodedBatch(batch, onDevice, negativeOnDevice);
    }
  }
}
