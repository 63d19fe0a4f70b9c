package io.lightmill.udfs.draw;

import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.c2pa.C2paClaim;
import io.lightmill.pipeline.image.ImageLabels;
import io.lightmill.pipeline.image.PromptMetadata;
import io.lightmill.pipeline.watermark.Watermark;
import io.lightmill.udfs.option.WatermarkKey;
import java.io.Serializable;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * How the files of a run say where they come from.
 *
 * @param system name of the model
 * @param provider null for none
 * @param created time of creation; null for none
 * @param aigcProducer content producer of the AIGC label; null for no label
 * @param prompts what files contain of prompts
 * @param watermark key of the watermark; null for none
 * @param signing null if files have no C2PA manifest
 */
public record ImageMarking(
    String system,
    String provider,
    Instant created,
    String aigcProducer,
    PromptMetadata prompts,
    WatermarkKey watermark,
    ImageSigning signing)
    implements Serializable {

  /** The watermarks of this JVM by their keys; a run has one. */
  private static final Map<String, Watermark> WATERMARKS = new ConcurrentHashMap<>();

  ImageLabels labels(String imageId) {
    return new ImageLabels(
        Optional.of(imageId),
        Optional.ofNullable(provider),
        Optional.ofNullable(created),
        Optional.ofNullable(aigcProducer),
        prompts);
  }

  /**
   * The file with a C2PA manifest, if there is to be one.
   *
   * @throws io.lightmill.pipeline.LightmillException if it cannot be signed
   */
  byte[] signed(byte[] file, String software) {
    return signing == null
        ? file
        : signing
            .signer()
            .sign(file, new C2paClaim(software, system, Optional.ofNullable(created)));
  }

  /** The image with its watermark, if it is to have one. */
  RgbImage marked(RgbImage image) {
    return watermark == null
        ? image
        : WATERMARKS.computeIfAbsent(watermark.value(), Watermark::new).embed(image);
  }
}
