package io.lightmill.udfs.option;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.SamplingEfficiency;
import io.lightmill.pipeline.StepCaching;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The options that save transformer calls. Those that are given replace the parts of the tier's
 * sampling.
 */
public final class EfficiencyOptions {

  public static final Option<Tier> TIER =
      Option.of(
              "tier",
              OptionType.choice(Tier.class),
              "TIER",
              OptionGroup.EFFICIENCY,
              "quality draws as diffusers does; efficient draws with the fewest transformer calls"
                  + " that CHECKPOINTS.md gives for the checkpoint or its family.")
          .or(Tier.QUALITY);

  public static final Option<StepCaching.Method> STEP_CACHE =
      Option.of(
          "step-cache",
          OptionType.choice(methods()),
          "METHOD",
          OptionGroup.EFFICIENCY,
          "Reuse what the transformer's blocks computed at an earlier step: sea (SeaCache) or"
              + " first-block while the change is below a threshold, mask at fixed steps, none"
              + " never. Default: the tier's.");

  public static final Option<Double> CACHE_THRESHOLD =
      Option.of(
          "cache-threshold",
          OptionType.decimal(0, Double.MAX_VALUE, "0 or a positive number"),
          "NUMBER",
          OptionGroup.EFFICIENCY,
          "Threshold of the step caches sea (default: 0.3) and first-block (default: 0.08): with"
              + " a higher one more steps are reused, with 0 none.");

  public static final Option<String> STEP_MASK =
      Option.of(
          "step-mask",
          OptionType.text(
              StepCaching::isMask,
              "one digit for each step, 1 to compute it and 0 to reuse the last computed one"),
          "DIGITS",
          OptionGroup.EFFICIENCY,
          "Steps of the step cache mask, such as 1101001: 1 is computed, 0 reused. Stretched over"
              + " the steps of each row; the first and the last step are computed. Default: "
              + StepCaching.DEFAULT_MASK
              + ".");

  public static final Option<String> GUIDANCE_INTERVAL =
      Option.of(
          "guidance-interval",
          OptionType.text(
              EfficiencyOptions::isInterval,
              "two fractions of the steps, the smaller one first, such as 0-0.8"),
          "FROM-TO",
          OptionGroup.EFFICIENCY,
          "Part of the steps with classifier-free guidance, as fractions, such as 0-0.8; the other"
              + " steps have no call for the negative prompt. Default: the tier's, or all.");

  public static final Option<Double> GUIDANCE_CACHE_FROM =
      Option.of(
          "guidance-cache-from",
          OptionType.decimal(0, 1, "a fraction of the steps from 0 to 1"),
          "FRACTION",
          OptionGroup.EFFICIENCY,
          "From this fraction of the steps on, guidance reuses the last difference between prompt"
              + " and negative prompt, without a call for the negative prompt; 1 never. Default:"
              + " the tier's, or 1.");

  public static final Option<Boolean> JOINT_GUIDANCE =
      Option.of(
              "joint-guidance",
              OptionType.flag(),
              "",
              OptionGroup.EFFICIENCY,
              "Evaluate prompt and negative prompt in one transformer call, where both take the"
                  + " same steps.")
          .or(false);

  public static final List<Option<?>> ALL =
      List.of(
          TIER,
          STEP_CACHE,
          CACHE_THRESHOLD,
          STEP_MASK,
          GUIDANCE_INTERVAL,
          GUIDANCE_CACHE_FROM,
          JOINT_GUIDANCE);

  private EfficiencyOptions() {}

  private static Map<String, StepCaching.Method> methods() {
    return Arrays.stream(StepCaching.Method.values())
        .collect(
            Collectors.toMap(
                StepCaching.Method::label, method -> method, (a, b) -> a, LinkedHashMap::new));
  }

  private static boolean isInterval(String text) {
    try {
      return SamplingEfficiency.interval(text)
          .map(ends -> SamplingEfficiency.NONE.withGuidance(ends[0], ends[1]))
          .isPresent();
    } catch (LightmillException e) {
      return false;
    }
  }

  /**
   * The sampling of rows that have none in their column.
   *
   * @param efficient the sampling of the efficient tier
   * @throws LightmillException with {@code CONFIGURATION_INVALID} if an option has no effect on the
   *     step cache that the options choose
   */
  static SamplingEfficiency sampling(GenerationOptions options, SamplingEfficiency efficient) {
    SamplingEfficiency tier =
        options.get(TIER) == Tier.EFFICIENT ? efficient : SamplingEfficiency.NONE;
    SamplingEfficiency sampling = tier.with(steps(options, tier.steps()));
    Optional<double[]> interval =
        options.find(GUIDANCE_INTERVAL).flatMap(SamplingEfficiency::interval);
    if (interval.isPresent()) {
      sampling = sampling.withGuidance(interval.get()[0], interval.get()[1]);
    }
    if (options.has(GUIDANCE_CACHE_FROM)) {
      sampling = sampling.withGuidanceCache(options.get(GUIDANCE_CACHE_FROM));
    }
    return options.get(JOINT_GUIDANCE) ? sampling.withJointGuidance() : sampling;
  }

  private static StepCaching steps(GenerationOptions options, StepCaching tier) {
    StepCaching steps = options.find(STEP_CACHE).map(StepCaching::of).orElse(tier);
    Optional<Double> threshold = options.find(CACHE_THRESHOLD);
    if (threshold.isPresent()) {
      require(steps.method().hasThreshold(), CACHE_THRESHOLD, steps, "sea or first-block");
      steps = steps.withThreshold(threshold.get());
    }
    Optional<String> mask = options.find(STEP_MASK);
    if (mask.isPresent()) {
      require(steps.method() == StepCaching.Method.MASK, STEP_MASK, steps, "mask");
      steps = new StepCaching(StepCaching.Method.MASK, 0, mask.get());
    }
    return steps;
  }

  private static void require(
      boolean effective, Option<?> option, StepCaching steps, String methods) {
    if (!effective) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "option '%s' has no effect on the step cache '%s'; remove it, or set '%s' to %s"
              .formatted(option, steps.method().label(), STEP_CACHE, methods));
    }
  }
}
