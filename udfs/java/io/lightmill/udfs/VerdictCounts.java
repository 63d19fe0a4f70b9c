package io.lightmill.udfs;

import com.fasterxml.jackson.annotation.JsonValue;
import io.lightmill.pipeline.Verdict;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The rows of a run with a verdict, by the verdict that decides. In JSON a list.
 *
 * @param counts blocked rows first, then by stage and category
 */
public record VerdictCounts(@JsonValue List<Count> counts) {

  private static final Comparator<Count> ORDER =
      Comparator.comparing(Count::verdict)
          .thenComparing(Count::stage)
          .thenComparing(Count::category);

  /** No row has a verdict. */
  public static final VerdictCounts NONE = new VerdictCounts(List.of());

  /**
   * Rows with the same kind of verdict.
   *
   * @param verdict {@code blocked} or {@code flagged}
   * @param stage a label of {@link Verdict.Stage}
   * @param category of the policy
   */
  public record Count(String verdict, String stage, String category, long rows) {

    private boolean is(Verdict.Action action) {
      return verdict.equals(verdictOf(action));
    }
  }

  public VerdictCounts {
    counts = counts.stream().sorted(ORDER).toList();
  }

  /** The word that manifests have for an action. */
  public static String verdictOf(Verdict.Action action) {
    return action == Verdict.Action.BLOCK ? "blocked" : "flagged";
  }

  /** Rows with such a verdict. */
  public long rows(Verdict.Action action) {
    return counts.stream().filter(count -> count.is(action)).mapToLong(Count::rows).sum();
  }

  /** Rows that were blocked at a stage. */
  public long blockedAt(Verdict.Stage stage) {
    return counts.stream()
        .filter(count -> count.is(Verdict.Action.BLOCK) && count.stage().equals(stage.label()))
        .mapToLong(Count::rows)
        .sum();
  }

  /** Such as {@code nudity 3, violence 1}; empty if no row has such a verdict. */
  public String byCategory(Verdict.Action action) {
    return counts.stream()
        .filter(count -> count.is(action))
        .collect(Collectors.groupingBy(Count::category, Collectors.summingLong(Count::rows)))
        .entrySet()
        .stream()
        .sorted(
            Comparator.<Map.Entry<String, Long>>comparingLong(each -> -each.getValue())
                .thenComparing(Map.Entry::getKey))
        .map(each -> "%s %d".formatted(each.getKey(), each.getValue()))
        .collect(Collectors.joining(", "));
  }
}
