package io.lightmill.udfs.draw;

import io.lightmill.pipeline.image.ImageLabels;
import io.lightmill.pipeline.image.PromptMetadata;
import java.io.Serializable;
import java.time.Instant;
import java.util.Optional;

/**
 * How the files of a run say where they come from.
 *
 * @param system name of the model
 * @param provider null for none
 * @param created time of creation; null for none
 * @param aigcProducer content producer of the AIGC label; null for no label
 * @param prompts what files contain of prompts
 */
public record ImageMarking(
    String system, String provider, Instant created, String aigcProducer, PromptMetadata prompts)
    implements Serializable {

  ImageLabels labels(String imageId) {
    return new ImageLabels(
        Optional.of(imageId),
        Optional.ofNullable(provider),
        Optional.ofNullable(created),
        Optional.ofNullable(aigcProducer),
        prompts);
  }
}
