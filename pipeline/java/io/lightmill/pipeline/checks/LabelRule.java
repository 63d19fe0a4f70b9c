package io.lightmill.pipeline.checks;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.Verdict;
import java.io.Serializable;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What follows when the score of a label reaches a threshold.
 *
 * @param label of a classifier
 * @param threshold least score that the rule applies to
 */
public record LabelRule(String label, double threshold, Action action) implements Serializable {

  private static final Pattern RULE =
      Pattern.compile("(-?(?:\\d+(?:\\.\\d*)?|\\.\\d+))(?::(block|flag|retry))?");

  /** What happens if a score reaches its threshold. */
  public enum Action {
    /** Nothing is drawn, or the image is not stored. */
    BLOCK,
    /** The row of the manifest says so. */
    FLAG,
    /** The image is drawn again with a further seed; the last one is blocked. */
    RETRY;

    /** The name in options. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * Reads a rule.
   *
   * @param text a threshold, such as {@code 0.7}, or a threshold and an action, such as {@code
   *     0.7:flag}
   * @param standard the action where the text has none
   * @throws LightmillException with {@code CONFIGURATION_INVALID}
   */
  public static LabelRule parse(String label, String text, Action standard) {
    Matcher matcher = RULE.matcher(text.strip());
    if (!matcher.matches()) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "the threshold of the label '%s' is '%s', but must be a number such as 0.7, or a number and block, flag or retry, such as 0.7:flag"
              .formatted(label, text));
    }
    return new LabelRule(
        label,
        Double.parseDouble(matcher.group(1)),
        matcher.group(2) == null
            ? standard
            : Action.valueOf(matcher.group(2).toUpperCase(Locale.ROOT)));
  }

  /** Whether the rule applies to these scores; a score that is NaN counts as reached. */
  boolean applies(Map<String, Double> scores) {
    return !(scores.get(label) < threshold);
  }

  /**
   * The verdicts of some rules.
   *
   * @param policy digest of the settings
   */
  static List<Verdict> verdicts(
      List<LabelRule> rules, Map<String, Double> scores, Verdict.Stage stage, String policy) {
    return applied(rules, scores).map(rule -> rule.verdict(scores, stage, policy)).toList();
  }

  static Stream<LabelRule> applied(List<LabelRule> rules, Map<String, Double> scores) {
    return rules.stream().filter(rule -> rule.applies(scores));
  }

  private Verdict verdict(Map<String, Double> scores, Verdict.Stage stage, String policy) {
    return new Verdict(
        stage,
        label,
        action == Action.FLAG ? Verdict.Severity.MEDIUM : Verdict.Severity.HIGH,
        label,
        Optional.of(new Verdict.Score(scores.get(label), threshold)),
        action == Action.FLAG ? Verdict.Action.FLAG : Verdict.Action.BLOCK,
        policy);
  }

  /** {@code nsfw=0.7:block}, which identifies the rule. */
  @Override
  public String toString() {
    return "%s=%s:%s".formatted(label, threshold, action.label());
  }
}
