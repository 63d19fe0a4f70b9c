package io.lightmill.udfs.table;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.LoraBlend;
import io.lightmill.pipeline.PipelineLimits;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * What a checkpoint accepts, and the value of everything that a row leaves open: the job's where it
 * gives one, else the checkpoint's.
 *
 * @param sizeMultiple width and height are multiples of this many pixels
 * @param maxSide largest width, and largest height
 * @param maxPixels largest width × height
 * @param longestPrompt in tokens, the largest {@code max_sequence_length}
 * @param minInferenceSteps fewest {@code num_inference_steps}
 * @param guidance how rows ask for classifier-free guidance
 * @param negativePrompt null for none
 * @param seed of the job, from which rows without a seed derive theirs
 * @param truncatePrompts cut over-long prompts instead of refusing their rows
 * @param lora adapters, as {@link LoraBlend} writes them
 * @param adapters that rows may name
 */
public record RequestRules(
    int sizeMultiple,
    int maxSide,
    long maxPixels,
    int longestPrompt,
    int minInferenceSteps,
    ClassifierFreeGuidance guidance,
    int width,
    int height,
    int numInferenceSteps,
    double guidanceScale,
    double trueCfgScale,
    int maxSequenceLength,
    int numImagesPerPrompt,
    String negativePrompt,
    long seed,
    boolean truncatePrompts,
    String lora,
    List<String> adapters)
    implements Serializable {

  static final int MOST_STEPS = 1000;
  static final int MOST_IMAGES_PER_PROMPT = 64;

  /**
   * @throws LightmillException with {@code CONFIGURATION_INVALID} if a default of the job is out of
   *     the checkpoint's range, since then every row that relies on it would be
   */
  public static RequestRules of(
      PipelineLimits limits, Collection<String> adapters, RowDefaults job) {
    PipelineLimits.Defaults own = limits.defaults();
    RequestRules rules =
        new RequestRules(
            limits.sizeMultiple(),
            limits.maxSide(),
            limits.maxPixels(),
            limits.maxSequenceLength(),
            limits.minInferenceSteps(),
            limits.guidance(),
            count(job, "width").orElse(own.width()),
            count(job, "height").orElse(own.height()),
            count(job, "num_inference_steps").orElse(own.numInferenceSteps()),
            scale(job, "guidance_scale").orElse(own.guidanceScale()),
            scale(job, "true_cfg_scale").orElse(own.trueCfgScale()),
            count(job, "max_sequence_length").orElse(own.maxSequenceLength()),
            count(job, "num_images_per_prompt").orElse(1),
            job.values().get("negative_prompt"),
            job.seed(),
            job.truncatePrompts(),
            job.values().getOrDefault("lora", ""),
            adapters.stream().sorted().toList());
    List<RowError> errors = new ArrayList<>();
    rules.check(
        rules.width,
        rules.height,
        rules.numInferenceSteps,
        rules.guidanceScale,
        rules.trueCfgScale,
        rules.maxSequenceLength,
        rules.numImagesPerPrompt,
        errors);
    rules.blend(rules.lora, errors);
    if (!errors.isEmpty()) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID, "defaults of the job: " + RowError.listed(errors));
    }
    return rules;
  }

  private static Optional<Integer> count(RowDefaults job, String column) {
    return Optional.ofNullable(job.values().get(column)).map(Integer::valueOf);
  }

  private static Optional<Double> scale(RowDefaults job, String column) {
    return Optional.ofNullable(job.values().get(column)).map(Double::valueOf);
  }

  /**
   * Adds a fault for each value out of range; null stands for a value that has its fault already.
   */
  void check(
      Integer width,
      Integer height,
      Integer steps,
      Double guidanceScale,
      Double trueCfgScale,
      Integer maxSequenceLength,
      Integer images,
      List<RowError> errors) {
    boolean wide = checkSide("width", width, errors);
    boolean high = checkSide("height", height, errors);
    if (wide && high && (long) width * height > maxPixels) {
      errors.add(
          new RowError(
              ErrorCode.SIZE_INVALID,
              "%dx%d is %d pixels, more than the %d that this checkpoint draws; make one side smaller"
                  .formatted(width, height, (long) width * height, maxPixels)));
    }
    checkRange("num_inference_steps", steps, minInferenceSteps, MOST_STEPS, errors);
    checkScale("guidance_scale", guidanceScale, errors);
    checkScale("true_cfg_scale", trueCfgScale, errors);
    checkRange("max_sequence_length", maxSequenceLength, 1, longestPrompt, errors);
    checkRange("num_images_per_prompt", images, 1, MOST_IMAGES_PER_PROMPT, errors);
  }

  /** Reads a choice of adapters; null, with a fault, if it cannot be. */
  LoraBlend blend(String text, List<RowError> errors) {
    try {
      LoraBlend blend = LoraBlend.parse(text);
      Set<String> unknown = new TreeSet<>(blend.weights().keySet());
      adapters.forEach(unknown::remove);
      if (unknown.isEmpty()) {
        return blend;
      }
      errors.add(
          new RowError(
              ErrorCode.VALUE_INVALID,
              "lora '%s' names %s, but the job's adapters are %s; declare it (--lora %s=FILE) or name another"
                  .formatted(
                      text,
                      String.join(", ", unknown),
                      adapters.isEmpty() ? "none" : String.join(", ", adapters),
                      unknown.iterator().next())));
    } catch (LightmillException e) {
      errors.add(new RowError(e.code(), e.getMessage()));
    }
    return null;
  }

  private boolean checkSide(String name, Integer pixels, List<RowError> errors) {
    if (pixels == null) {
      return false;
    }
    if (pixels > maxSide) {
      errors.add(
          new RowError(
              ErrorCode.SIZE_INVALID,
              "%s %d is more than the %d that a side may have with this checkpoint; make it smaller"
                  .formatted(name, pixels, maxSide)));
      return false;
    }
    if (pixels > 0 && pixels % sizeMultiple == 0) {
      return true;
    }
    long nearest = Math.max(1, Math.round((double) pixels / sizeMultiple)) * sizeMultiple;
    errors.add(
        new RowError(
            ErrorCode.SIZE_INVALID,
            "%s %d is not a positive multiple of %d; the nearest is %d"
                .formatted(name, pixels, sizeMultiple, nearest)));
    return false;
  }

  private static void checkRange(
      String name, Integer value, int least, int most, List<RowError> errors) {
    if (value != null && (value < least || value > most)) {
      errors.add(
          new RowError(
              ErrorCode.VALUE_INVALID,
              "%s %d is out of range; give %d to %d".formatted(name, value, least, most)));
    }
  }

  private static void checkScale(String name, Double value, List<RowError> errors) {
    if (value != null && (!Double.isFinite(value) || value < 0)) {
      errors.add(
          new RowError(
              ErrorCode.VALUE_INVALID,
              "%s %s is out of range; give 0 or a positive number".formatted(name, value)));
    }
  }
}
