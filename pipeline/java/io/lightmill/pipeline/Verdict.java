package io.lightmill.pipeline;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;

/**
 * What a check of a prompt or of an image found.
 *
 * @param stage what was checked
 * @param category of the policy, such as {@code nudity}
 * @param severity of the category; of several verdicts with the same action the most severe decides
 * @param rule of the policy that matches, or label of the classifier
 * @param score of a classifier; empty for a rule, which matches or does not
 * @param action what follows
 * @param policy digest of the policy that gave the verdict; another policy is asked anew
 */
public record Verdict(
    Stage stage,
    String category,
    Severity severity,
    String rule,
    Optional<Score> score,
    Action action,
    String policy) {

  /** A blocking verdict comes before a flag, and then the more severe one. */
  private static final Comparator<Verdict> WEIGHT =
      Comparator.comparing(Verdict::action).thenComparing(Verdict::severity);

  public Verdict {
    Objects.requireNonNull(stage, "stage");
    Objects.requireNonNull(category, "category");
    Objects.requireNonNull(severity, "severity");
    Objects.requireNonNull(rule, "rule");
    Objects.requireNonNull(score, "score");
    Objects.requireNonNull(action, "action");
    Objects.requireNonNull(policy, "policy");
  }

  /** What is checked. */
  public enum Stage {
    /** The prompt or the negative prompt, before anything is drawn. */
    PROMPT,
    /** The drawn image, before it is stored. */
    IMAGE,
    /** The prompt or the image, by the filter of the provider of a hosted model. */
    PROVIDER;

    /** The name in policies and manifests. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }

    /** The stage with this label. */
    public static Stage labelled(String label) {
      return valueOf(label.toUpperCase(Locale.ROOT));
    }
  }

  /** How bad a finding is, from the least to the most severe. */
  public enum Severity {
    LOW,
    MEDIUM,
    HIGH,
    CRITICAL;

    /** The name in policies and manifests. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }

    /** The severity with this label. */
    public static Severity labelled(String label) {
      return valueOf(label.toUpperCase(Locale.ROOT));
    }
  }

  /** What happens to an image with a finding. */
  public enum Action {
    /** The image is drawn and stored; its manifest row says what was found. */
    FLAG,
    /** The image is not drawn, or not stored. */
    BLOCK;

    /** The name in policies and manifests. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }

    /** The action with this label. */
    public static Action labelled(String label) {
      return valueOf(label.toUpperCase(Locale.ROOT));
    }
  }

  /**
   * The score of a classifier.
   *
   * @param value that the classifier gave
   * @param threshold from which the policy acts
   */
  public record Score(double value, double threshold) {}

  /** Whether the image must not be drawn or stored. */
  public boolean blocks() {
    return action == Action.BLOCK;
  }

  /** Whether one of the verdicts blocks. */
  public static boolean block(Collection<Verdict> verdicts) {
    return verdicts.stream().anyMatch(Verdict::blocks);
  }

  /** The verdict that decides: the first of the most severe that block, else of the flags. */
  public static Optional<Verdict> deciding(Collection<Verdict> verdicts) {
    return verdicts.stream().reduce((a, b) -> WEIGHT.compare(b, a) > 0 ? b : a);
  }

  /** The reason of a blocked row: what was found, and the fix. */
  public String message() {
    if (stage == Stage.PROVIDER) {
      return "the filter of the provider blocks the request: category %s, %s; reword the prompt as a new row, or send it again after a change of the filter (--retry-blocked)"
          .formatted(category, rule);
    }
    return "%s is blocked by the policy: category %s, %s '%s'%s; %s"
        .formatted(
            stage.label(),
            category,
            score.isPresent() ? "label" : "rule",
            rule,
            score
                .map(
                    it ->
                        String.format(
                            Locale.ROOT,
                            " with a score of %.3f, and the threshold is %.3f",
                            it.value(),
                            it.threshold()))
                .orElse(""),
            stage == Stage.PROMPT
                ? "reword it as a new row, or change the policy"
                : "change the prompt or the seed, or the policy");
  }

  /** The error of a caller that takes nothing but the image. */
  public LightmillException refusal() {
    ErrorCode code =
        switch (stage) {
          case PROMPT -> ErrorCode.PROMPT_BLOCKED;
          case IMAGE -> ErrorCode.IMAGE_BLOCKED;
          case PROVIDER -> ErrorCode.PROVIDER_BLOCKED;
        };
    return new LightmillException(code, message());
  }
}
