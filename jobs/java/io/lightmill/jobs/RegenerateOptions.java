package io.lightmill.jobs;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.ModelOptions;
import io.lightmill.udfs.option.ProvenanceOptions;
import io.lightmill.udfs.option.WatermarkKey;
import io.lightmill.udfs.regenerate.Regeneration;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParseResult;

/** The options of {@code inspect --regenerate}. */
final class RegenerateOptions {

  /** Those that are also options of runs. */
  static final RegisteredOptions REGISTERED =
      new RegisteredOptions(
          List.of(
              ModelOptions.CHECKPOINT.orNone(),
              ModelOptions.VARIANT,
              ModelOptions.LORA,
              ModelOptions.DEVICE,
              ModelOptions.THREADS_PER_IMAGE,
              ModelOptions.OFFLOAD),
          Set.of());

  @Option(
      names = "--regenerate",
      description =
          "Draw each image again from its receipt and compare. Without --checkpoint with the local"
              + " checkpoint that the file names; a watermarked image needs --watermark.")
  private boolean regenerate;

  @Option(
      names = "--output",
      paramLabel = "FILE",
      description = "Write the image that is drawn again to this file, without a C2PA manifest.")
  private Path output;

  @Option(
      names = "--prompt",
      paramLabel = "TEXT",
      description = "Prompt of an image whose file does not contain it (--prompt-metadata).")
  private String prompt;

  @Option(
      names = "--negative-prompt",
      paramLabel = "TEXT",
      description = "Negative prompt of such an image.")
  private String negativePrompt;

  /**
   * What draws the images again.
   *
   * @param images number of files
   * @throws LightmillException with {@code CONFIGURATION_INVALID} for options that have no effect
   */
  RegeneratedImages open(ParseResult line, String watermark, int images) {
    Map<String, String> given = REGISTERED.values(line);
    if (!regenerate) {
      if (output != null || prompt != null || negativePrompt != null || !given.isEmpty()) {
        throw invalid(
            "options of the drawing are given without --regenerate; add it, or remove them");
      }
      return RegeneratedImages.NONE;
    }
    if (output != null && images > 1) {
      throw invalid(
          "--output names one file, but %d images are given; give one image".formatted(images));
    }
    GenerationOptions options = GenerationOptions.parse(given);
    return new RegeneratedImages(
        Optional.of(
            new Regeneration(
                watermark == null
                    ? options
                    : options.with(ProvenanceOptions.WATERMARK, new WatermarkKey(watermark)),
                Optional.ofNullable(prompt),
                Optional.ofNullable(negativePrompt))),
        Optional.ofNullable(output));
  }

  private static LightmillException invalid(String message) {
    return new LightmillException(ErrorCode.CONFIGURATION_INVALID, message);
  }
}
