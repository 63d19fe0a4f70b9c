package io.lightmill.udfs.regenerate;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.DrawingFacts;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.SamplingEfficiency;
import io.lightmill.pipeline.image.FileFormat;
import io.lightmill.pipeline.image.ImageFormat;
import io.lightmill.pipeline.image.PromptMetadata;
import io.lightmill.pipeline.watermark.Watermark;
import io.lightmill.udfs.device.Cluster;
import io.lightmill.udfs.device.JobCheckpoint;
import io.lightmill.udfs.device.Loading;
import io.lightmill.udfs.draw.ImageEncoding;
import io.lightmill.udfs.draw.ImageMarking;
import io.lightmill.udfs.option.WatermarkKey;
import io.lightmill.udfs.plan.ImageIdentity;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;

/** Files of one small image of the checkpoint that ships, as runs store them. */
public final class DrawnFile {

  public static final String PROMPT = "a red mug";
  public static final String WATERMARK = "a key";

  private static final JobCheckpoint CHECKPOINT =
      JobCheckpoint.open(
          "builtin:pocket",
          Loading.PLAIN,
          Optional.empty(),
          new Cluster(false, 1, true, 0),
          new Configuration(false));

  static final ImageRequest REQUEST =
      ImageRequest.builder(PROMPT, CHECKPOINT.limits().defaults())
          .negativePrompt("blurry")
          .trueCfgScale(2)
          .width(64)
          .height(64)
          .numInferenceSteps(4)
          .seed(-7)
          .efficiency(SamplingEfficiency.parse("sea@0.3+guidance@0-0.5"))
          .build();

  private static final RgbImage IMAGE = drawn();

  private DrawnFile() {}

  private static RgbImage drawn() {
    try (DiffusionPipeline pipeline = CHECKPOINT.loader().load(io.lightmill.pipeline.Device.CPU)) {
      return pipeline.generate(List.of(REQUEST)).get(0);
    }
  }

  static String digest() {
    return CHECKPOINT.model().digest();
  }

  /** A PNG with the standard marks. */
  public static byte[] png() {
    return file(FileFormat.of(ImageFormat.PNG), false, PromptMetadata.FULL, "builtin:pocket");
  }

  static byte[] file(FileFormat format, boolean marked, PromptMetadata prompts, String system) {
    return new ImageEncoding(
            new ImageIdentity(
                CHECKPOINT.model(), format, marked ? Watermark.fingerprint(WATERMARK) : null),
            guidance(),
            new ImageMarking(
                system,
                marked ? "Example & Co." : null,
                marked ? Instant.parse("2026-11-26T09:00:00Z") : null,
                marked ? "001191110108MA01" : null,
                prompts,
                marked ? new WatermarkKey(WATERMARK) : null,
                null))
        .encoded(REQUEST, DrawingFacts.NONE, IMAGE);
  }

  private static ClassifierFreeGuidance guidance() {
    return CHECKPOINT.limits().guidance();
  }
}
