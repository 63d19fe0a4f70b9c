package io.lightmill.udfs.run;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.image.FileFormat;
import io.lightmill.pipeline.image.ImageFormat;
import io.lightmill.pipeline.watermark.Watermark;
import io.lightmill.udfs.device.Model;
import io.lightmill.udfs.draw.ImageMarking;
import io.lightmill.udfs.draw.ImageSigning;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.Option;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.option.ProvenanceOptions;
import io.lightmill.udfs.plan.ImageIdentity;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
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
    return new ImageIdentity(
        model,
        format(options),
        options
            .find(ProvenanceOptions.WATERMARK)
            .map(key -> Watermark.fingerprint(key.value()))
            .orElse(null));
  }

  /**
   * @param started when the run started
   */
  static ImageMarking marking(
      SparkSession spark, Model model, GenerationOptions options, Instant started) {
    return marking(spark.sparkContext().hadoopConfiguration(), model, options, started);
  }

  /**
   * @param started when the run started
   */
  static ImageMarking marking(
      Configuration hadoop, Model model, GenerationOptions options, Instant started) {
    check(options);
    return new ImageMarking(
        options.find(ProvenanceOptions.AI_SYSTEM).orElse(model.name()),
        options.find(ProvenanceOptions.PROVIDER).orElse(null),
        options.get(ProvenanceOptions.CREATION_TIME).of(started).orElse(null),
        options.find(ProvenanceOptions.AIGC_PRODUCER).orElse(null),
        options.get(ProvenanceOptions.PROMPT_METADATA),
        options.find(ProvenanceOptions.WATERMARK).orElse(null),
        signing(options, hadoop).orElse(null));
  }

  /** The credential, which is read and checked. */
  private static Optional<ImageSigning> signing(GenerationOptions options, Configuration hadoop) {
    Optional<String> certificate = options.find(ProvenanceOptions.C2PA_CERTIFICATE);
    if (certificate.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        ImageSigning.of(
            certificate.get(),
            options.get(ProvenanceOptions.C2PA_KEY),
            options.find(ProvenanceOptions.C2PA_TIMESTAMP).orElse(null),
            hadoop));
  }

  /** Signs nothing, but reads and checks a local credential. */
  static void readCredential(GenerationOptions options) {
    if (Stream.of(ProvenanceOptions.C2PA_CERTIFICATE, ProvenanceOptions.C2PA_KEY)
        .map(options::find)
        .allMatch(location -> location.isPresent() && !location.get().contains("://"))) {
      signing(options, new Configuration(false));
    }
  }

  /**
   * Checks options that need each other.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID}
   */
  static void check(GenerationOptions options) {
    format(options);
    for (Option<?> option : List.of(ProvenanceOptions.C2PA_KEY, ProvenanceOptions.C2PA_TIMESTAMP)) {
      if (options.has(option) && !options.has(ProvenanceOptions.C2PA_CERTIFICATE)) {
        throw new LightmillException(
            ErrorCode.CONFIGURATION_INVALID,
            "option '%s' is given without 'c2pa-certificate'; give both, or neither"
                .formatted(option));
      }
    }
    if (options.has(ProvenanceOptions.C2PA_CERTIFICATE)) {
      options.get(ProvenanceOptions.C2PA_KEY);
    }
  }
}
