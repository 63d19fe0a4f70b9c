package io.lightmill.udfs.estimate;

import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.plan.ImageWork;
import org.apache.spark.sql.Row;

/**
 * The time that one drawn image took on its device, in seconds.
 *
 * @param calls of the transformer
 * @param encode of encoding its prompts
 * @param denoise of the transformer's steps
 * @param decode of decoding its latents
 * @param total with everything else that is counted as time on the device
 * @param bytes of the image file
 */
public record Measurement(
    ImageWork work,
    int calls,
    double encode,
    double denoise,
    double decode,
    double total,
    long bytes) {

  private static final double MILLIS = 1000;

  /** Reads the columns of a manifest row of a generated image. */
  public static Measurement of(ImageWork work, Row row) {
    Integer calls = ManifestColumns.TRANSFORMER_CALLS.of(row);
    return new Measurement(
        work,
        calls == null ? work.calls() : calls,
        ManifestColumns.ENCODE_PROMPT_MS.<Double>of(row) / MILLIS,
        ManifestColumns.DENOISE_MS.<Double>of(row) / MILLIS,
        ManifestColumns.DECODE_MS.<Double>of(row) / MILLIS,
        ManifestColumns.GENERATE_MS.<Double>of(row) / MILLIS,
        ManifestColumns.BYTES.<Long>of(row));
  }

  /** The same where prompts take another time to encode. */
  public Measurement withText(double seconds) {
    return new Measurement(work, calls, seconds, denoise, decode, total - encode + seconds, bytes);
  }

  /** Time that belongs to no phase, such as the loading of networks that take turns. */
  double rest() {
    return Math.max(0, total - encode - denoise - decode);
  }
}
