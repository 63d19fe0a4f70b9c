package io.lightmill.udfs.plan;

import io.lightmill.pipeline.BatchKey;
import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.SamplingEfficiency;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What decides how long an image takes on a device.
 *
 * @param textTokens prompt tokens of the long text encoder
 * @param guided whether each step calls the transformer with and without the prompt
 * @param lora adapters, as the column {@code lora} has them; empty for none
 * @param sampling saved transformer calls, as the column {@code sampling_efficiency} has them
 */
public record ImageWork(
    int width,
    int height,
    int steps,
    int textTokens,
    boolean guided,
    String lora,
    String sampling) {

  /** The text of a {@link BatchKey}. */
  private static final Pattern KEY =
      Pattern.compile(
          "BatchKey\\[width=(\\d+), height=(\\d+), numInferenceSteps=(\\d+),"
              + " maxSequenceLength=(\\d+), guided=(true|false), lora=(.*), efficiency=(.*)]");

  private static final double PIXELS_PER_MEGAPIXEL = 1e6;

  /** The work of an image with this batch key. */
  public static ImageWork of(String batchKey) {
    Matcher key = KEY.matcher(batchKey);
    if (!key.matches()) {
      throw new IllegalArgumentException("no batch key: " + batchKey);
    }
    return new ImageWork(
        Integer.parseInt(key.group(1)),
        Integer.parseInt(key.group(2)),
        Integer.parseInt(key.group(3)),
        Integer.parseInt(key.group(4)),
        Boolean.parseBoolean(key.group(5)),
        key.group(6),
        key.group(7));
  }

  public static ImageWork of(ImageRequest request, ClassifierFreeGuidance guidance) {
    return of(BatchKey.of(request, guidance).toString());
  }

  public long pixels() {
    return (long) width * height;
  }

  public double megapixels() {
    return pixels() / PIXELS_PER_MEGAPIXEL;
  }

  /** Tokens that the transformer attends to. */
  public long tokens() {
    return ImageCost.tokens(width, height, textTokens);
  }

  /** Transformer calls if none is saved. */
  public int calls() {
    return steps * (guided ? 2 : 1);
  }

  /** Whether transformer calls are saved, so that their number is known only after drawing. */
  public boolean savesCalls() {
    return !sampling.equals(SamplingEfficiency.NONE.toString());
  }

  /** The same image with at most so many steps. */
  public ImageWork withSteps(int most) {
    return new ImageWork(width, height, Math.min(steps, most), textTokens, guided, lora, sampling);
  }
}
