package io.lightmill.udfs.report;

import io.lightmill.pipeline.Verdict;
import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.VerdictCounts;
import io.lightmill.udfs.manifest.ManifestColumns;
import java.io.Serializable;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.Row;

/**
 * Why rows have no image, or what the policy flags in them: what the rows of one reason have in
 * common.
 *
 * @param status a label of {@link ImageStatus}, or {@code flagged}
 * @param code error code; empty in rows that are flagged
 * @param rule category and rule of the verdict that decides; empty without a verdict
 */
record PageReason(String status, String code, String rule)
    implements Serializable, Comparable<PageReason> {

  private static final Comparator<PageReason> ORDER =
      Comparator.comparing(PageReason::status)
          .thenComparing(PageReason::code)
          .thenComparing(PageReason::rule);

  private static final List<String> RANKS =
      List.of(
          ImageStatus.FAILED.label(),
          ImageStatus.INVALID.label(),
          ImageStatus.BLOCKED.label(),
          VerdictCounts.verdictOf(Verdict.Action.FLAG));

  static final String FLAGGED = VerdictCounts.verdictOf(Verdict.Action.FLAG);

  /** Of the rows whose reasons are too many to tell apart. */
  static final PageReason OTHERS = new PageReason("", "", "");

  /** The reason of a row of a manifest; empty where it has an image that is not flagged. */
  static Optional<PageReason> of(Row row) {
    String status = ManifestColumns.STATUS.of(row);
    boolean flagged = FLAGGED.equals(ManifestColumns.VERDICT.of(row));
    String code = ManifestColumns.ERROR_CODE.of(row);
    if (code == null && !flagged) {
      return Optional.empty();
    }
    String category = ManifestColumns.VERDICT_CATEGORY.of(row);
    boolean decides = flagged || ImageStatus.BLOCKED.label().equals(status);
    return Optional.of(
        new PageReason(
            code == null ? FLAGGED : status,
            code == null ? "" : code,
            decides && category != null
                ? category + ": " + ManifestColumns.VERDICT_RULE.of(row)
                : ""));
  }

  /** Reasons that somebody has to fix are less than others. */
  int rank() {
    return equals(OTHERS) ? RANKS.size() : RANKS.indexOf(status);
  }

  @Override
  public int compareTo(PageReason other) {
    return ORDER.compare(this, other);
  }

  /** What a page says of one row; empty where it has an image that is not flagged. */
  static Optional<String> text(Row row) {
    String message = ManifestColumns.ERROR_MESSAGE.of(row);
    return message == null
        ? of(row).map(reason -> "%s: %s".formatted(reason.status(), reason.rule()))
        : Optional.of(message);
  }
}
