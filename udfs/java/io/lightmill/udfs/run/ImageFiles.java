package io.lightmill.udfs.run;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.image.FileFormat;
import io.lightmill.pipeline.image.ImageFormat;
import io.lightmill.udfs.device.Model;
import io.lightmill.udfs.draw.ImageMarking;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.option.ProvenanceOptions;
import io.lightmill.udfs.plan.ImageIdentity;
import java.time.Instant;
import java.util.Optional;
import org.apache.spark.sql.SparkSession;

/** What the options of a run say about its image files. */
final class ImageFiles {

  private ImageFiles() {}

  /**
   * Format and quality.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID} for a quality of a format that
   *     has none
   */
  static FileFormat format(GenerationOptions options) {
    ImageFormat format = options.get(Options.FORMAT);
    Optional<Integer> quality = options.find(Options.QUALITY);
    if (quality.isPresent() && format == ImageFormat.PNG) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "option 'quality' is %d, but PNG is lossless; remove it, or set 'format' to jpeg or webp"
              .formatted(quality.get()));
    }
    return new FileFormat(format, quality.orElse(0));
  }

  static ImageIdentity identity(Model model, GenerationOptions options) {
    return new ImageIdentity(model, format(options), null);
  }

  /**
   * @param started when the run started
   */
  static ImageMarking marking(
      SparkSession spark, Model model, GenerationOptions options, Instant started) {
    return new ImageMarking(
        options.find(ProvenanceOptions.AI_SYSTEM).orElse(model.name()),
        options.find(ProvenanceOptions.PROVIDER).orElse(null),
        options.get(ProvenanceOptions.CREATION_TIME).of(started).orElse(null),
        options.find(ProvenanceOptions.AIGC_PRODUCER).orElse(null),
        options.get(ProvenanceOptions.PROMPT_METADATA));
  }
}
