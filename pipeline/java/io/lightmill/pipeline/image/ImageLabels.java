package io.lightmill.pipeline.image;

import java.time.Instant;
import java.util.Optional;

/**
 * The content of the XMP of an image file, apart from the receipt.
 *
 * @param imageId unique identifier of the image
 * @param provider who offers the system that generated the image
 * @param created when the image was generated
 * @param aigcProducer content producer in the AIGC label of GB 45438-2025; empty for no label
 * @param prompt what the file contains of prompts; those of the receipt are already replaced
 */
public record ImageLabels(
    Optional<String> imageId,
    Optional<String> provider,
    Optional<Instant> created,
    Optional<String> aigcProducer,
    PromptMetadata prompt) {

  /** Only the labels that every file has. */
  public static final ImageLabels NONE =
      new ImageLabels(
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          PromptMetadata.FULL);
}
