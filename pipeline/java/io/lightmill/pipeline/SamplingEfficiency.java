package io.lightmill.pipeline;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How an image is drawn with fewer transformer calls than one per step and side of guidance. Each
 * part changes pixels, and an image depends on its own request alone under all of them.
 *
 * <p>Steps are given as fractions of all steps, as in diffusers' guiders: of {@code n} steps, the
 * fraction {@code f} names step {@code floor(f * n)}, counted from 0.
 *
 * @param steps which steps reuse the blocks of an earlier one, on each side of guidance by itself
 * @param guidanceFrom the first step under guidance (Kynkäänniemi et al. 2024); steps outside take
 *     the velocity under the prompt alone
 * @param guidanceTo the first step after those under guidance
 * @param guidanceCacheFrom the first step that reuses the last computed difference between prompt
 *     and negative prompt; 1 for none
 * @param jointGuidance whether one transformer call evaluates both sides of guidance. Without
 *     effect where the sides differ in the steps that they compute.
 */
public record SamplingEfficiency(
    StepCaching steps,
    double guidanceFrom,
    double guidanceTo,
    double guidanceCacheFrom,
    boolean jointGuidance)
    implements Serializable {

  /** As diffusers draws. */
  public static final SamplingEfficiency NONE =
      new SamplingEfficiency(StepCaching.NONE, 0, 1, 1, false);

  private static final String GUIDANCE = "guidance";
  private static final String GUIDANCE_CACHE = "guidance-cache";
  private static final String JOINT_GUIDANCE = "joint-guidance";

  private static final Pattern PART = Pattern.compile("([a-z][a-z-]*)(?:@(\\S+))?");
  private static final Pattern INTERVAL =
      Pattern.compile("(\\d+(?:\\.\\d+)?|\\.\\d+)-(\\d+(?:\\.\\d+)?|\\.\\d+)");

  /**
   * Checks the values.
   *
   * @throws LightmillException with {@code VALUE_INVALID}
   */
  public SamplingEfficiency {
    if (!(guidanceFrom >= 0 && guidanceFrom < guidanceTo && guidanceTo <= 1)) {
      throw invalid(
          "the guidance interval is %s-%s; give two fractions of the steps, the smaller one first, such as 0-0.8"
              .formatted(StepCaching.plain(guidanceFrom), StepCaching.plain(guidanceTo)));
    }
    if (!(guidanceCacheFrom >= 0 && guidanceCacheFrom <= 1)) {
      throw invalid(
          "the guidance cache starts at %s; give a fraction of the steps from 0 to 1, such as 0.4"
              .formatted(StepCaching.plain(guidanceCacheFrom)));
    }
  }

  /**
   * Reads parts such as {@code sea@0.3+guidance@0-0.8+guidance-cache@0.4}; {@code none} for none.
   *
   * @throws LightmillException with {@code VALUE_INVALID}
   */
  public static SamplingEfficiency parse(String text) {
    SamplingEfficiency read = NONE;
    List<String> named = new ArrayList<>();
    for (String part : text.strip().split("\\+", -1)) {
      Matcher matcher = PART.matcher(part.strip());
      if (!matcher.matches()) {
        throw unreadable(text, part);
      }
      String name = matcher.group(1);
      boolean method = StepCaching.Method.labelled(name).isPresent();
      if (named.contains(method ? "method" : name)) {
        throw invalid("sampling efficiency '%s' gives '%s' twice".formatted(text, name));
      }
      named.add(method ? "method" : name);
      read = read.with(name, Optional.ofNullable(matcher.group(2)), text);
    }
    return read;
  }

  private SamplingEfficiency with(String name, Optional<String> value, String text) {
    Optional<StepCaching.Method> method = StepCaching.Method.labelled(name);
    if (method.isPresent()) {
      return with(caching(method.get(), value, text));
    }
    return switch (name) {
      case GUIDANCE -> {
        double[] interval = interval(value.orElse("")).orElseThrow(() -> unreadable(text, name));
        yield withGuidance(interval[0], interval[1]);
      }
      case GUIDANCE_CACHE -> withGuidanceCache(number(value.orElse(""), text, name));
      case JOINT_GUIDANCE -> {
        if (value.isPresent()) {
          throw unreadable(text, name);
        }
        yield withJointGuidance();
      }
      default -> throw unreadable(text, name);
    };
  }

  private static StepCaching caching(
      StepCaching.Method method, Optional<String> value, String text) {
    StepCaching standard = StepCaching.of(method);
    if (value.isEmpty()) {
      return standard;
    }
    if (method == StepCaching.Method.MASK) {
      return new StepCaching(method, 0, value.get());
    }
    if (!method.hasThreshold()) {
      throw unreadable(text, method.label());
    }
    return standard.withThreshold(number(value.get(), text, method.label()));
  }

  private static double number(String value, String text, String part) {
    try {
      return Double.parseDouble(value);
    } catch (NumberFormatException e) {
      throw unreadable(text, part);
    }
  }

  /** The two numbers of {@code 0.1-0.8}; empty if the text is not made of two numbers. */
  public static Optional<double[]> interval(String text) {
    Matcher matcher = INTERVAL.matcher(text.strip());
    return matcher.matches()
        ? Optional.of(
            new double[] {
              Double.parseDouble(matcher.group(1)), Double.parseDouble(matcher.group(2))
            })
        : Optional.empty();
  }

  private static LightmillException unreadable(String text, String part) {
    return invalid(
        "sampling efficiency '%s' cannot be read at '%s'; join parts such as sea@0.3, first-block@0.08, mask@110100, guidance@0-0.8, guidance-cache@0.4 and joint-guidance with '+', or write 'none'"
            .formatted(text, part));
  }

  private static LightmillException invalid(String message) {
    return new LightmillException(ErrorCode.VALUE_INVALID, message);
  }

  public SamplingEfficiency with(StepCaching caching) {
    return new SamplingEfficiency(
        caching, guidanceFrom, guidanceTo, guidanceCacheFrom, jointGuidance);
  }

  public SamplingEfficiency withGuidance(double from, double to) {
    return new SamplingEfficiency(steps, from, to, guidanceCacheFrom, jointGuidance);
  }

  public SamplingEfficiency withGuidanceCache(double from) {
    return new SamplingEfficiency(steps, guidanceFrom, guidanceTo, from, jointGuidance);
  }

  public SamplingEfficiency withJointGuidance() {
    return new SamplingEfficiency(steps, guidanceFrom, guidanceTo, guidanceCacheFrom, true);
  }

  public boolean isNone() {
    return equals(NONE);
  }

  /** Whether a step is under guidance. */
  public boolean guidesAt(int step, int count) {
    return step >= (int) (guidanceFrom * count) && step < (int) (guidanceTo * count);
  }

  /** Whether a step reuses the last computed guidance, if there is one. */
  public boolean cachesGuidanceAt(int step, int count) {
    return guidanceCacheFrom < 1 && step >= (int) (guidanceCacheFrom * count);
  }

  /** Whether all steps of both sides compute alike, so that one call may evaluate both. */
  public boolean sidesAgree() {
    return guidanceFrom == 0 && guidanceTo == 1 && guidanceCacheFrom == 1;
  }

  /** The form that {@link #parse} reads. */
  @Override
  public String toString() {
    List<String> parts = new ArrayList<>();
    if (!steps.isNone()) {
      parts.add(steps.toString());
    }
    if (guidanceFrom > 0 || guidanceTo < 1) {
      parts.add(
          "%s@%s-%s"
              .formatted(GUIDANCE, StepCaching.plain(guidanceFrom), StepCaching.plain(guidanceTo)));
    }
    if (guidanceCacheFrom < 1) {
      parts.add(GUIDANCE_CACHE + "@" + StepCaching.plain(guidanceCacheFrom));
    }
    if (jointGuidance) {
      parts.add(JOINT_GUIDANCE);
    }
    return parts.isEmpty() ? StepCaching.Method.NONE.label() : String.join("+", parts);
  }
}
