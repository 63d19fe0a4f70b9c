package io.lightmill.udfs.estimate;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.earlier.EarlierImages;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.plan.PlannedImages;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.commons.collections4.IteratorUtils;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * The planned rows that need no drawing.
 *
 * @param counts by the status that the manifest will have
 * @param problems the first invalid and blocked rows, at most {@value #MOST_PROBLEMS} of each
 */
public record UndrawnRows(Map<ImageStatus, Long> counts, List<Problem> problems)
    implements Serializable {

  public static final UndrawnRows NONE = new UndrawnRows(Map.of(), List.of());

  static final int MOST_PROBLEMS = 5;

  /** Short ids first, so that numbers are in their order. */
  private static final Comparator<Problem> ORDER =
      Comparator.comparing(Problem::status)
          .thenComparingInt(problem -> problem.id() == null ? 0 : problem.id().length())
          .thenComparing(Problem::id, Comparator.nullsFirst(Comparator.naturalOrder()))
          .thenComparing(Problem::message);

  /**
   * A row that is not drawn.
   *
   * @param status of the row in the manifest
   * @param id null if the row has none
   * @param message with the row; for a row that cannot be read with its file and line
   */
  public record Problem(String status, String id, String code, String message)
      implements Serializable {}

  /**
   * Counts rows in one Spark stage, without a shuffle.
   *
   * @param images rows of {@link PlannedImages} with {@link EarlierImages#EARLIER}
   */
  public static UndrawnRows of(Dataset<Row> images) {
    return images
        .filter(PlannedImages.BATCH_KEY + " IS NULL")
        .javaRDD()
        .mapPartitions(UndrawnRows::part)
        .collect()
        .stream()
        .reduce(NONE, UndrawnRows::and);
  }

  private static Iterator<UndrawnRows> part(Iterator<Row> rows) {
    Map<ImageStatus, Long> counts = new EnumMap<>(ImageStatus.class);
    List<Problem> problems = new ArrayList<>();
    while (rows.hasNext()) {
      Row row = rows.next();
      ImageStatus status = status(row);
      counts.merge(status, 1L, Long::sum);
      if (ManifestColumns.ERROR_CODE.of(row) != null) {
        problems.add(problem(status, row));
        if (problems.size() > 100 * MOST_PROBLEMS) {
          problems = first(problems);
        }
      }
    }
    return IteratorUtils.singletonIterator(new UndrawnRows(counts, first(problems)));
  }

  /** As the drawing tasks decide it. */
  private static ImageStatus status(Row row) {
    String error = ManifestColumns.ERROR_CODE.of(row);
    if (error != null) {
      return error.equals(ErrorCode.PROMPT_BLOCKED.name())
          ? ImageStatus.BLOCKED
          : ImageStatus.INVALID;
    }
    return ImageStatus.labelled(ManifestColumns.STATUS.of(row.<Row>getAs(EarlierImages.EARLIER)));
  }

  private static Problem problem(ImageStatus status, Row row) {
    return new Problem(
        status.label(),
        ManifestColumns.ID.of(row),
        ManifestColumns.ERROR_CODE.of(row),
        ManifestColumns.ERROR_MESSAGE.of(row));
  }

  private static List<Problem> first(List<Problem> problems) {
    List<Problem> first = new ArrayList<>();
    for (ImageStatus status : List.of(ImageStatus.INVALID, ImageStatus.BLOCKED)) {
      problems.stream()
          .filter(problem -> problem.status().equals(status.label()))
          .distinct()
          .sorted(ORDER)
          .limit(MOST_PROBLEMS)
          .forEach(first::add);
    }
    return first;
  }

  private UndrawnRows and(UndrawnRows other) {
    Map<ImageStatus, Long> sums = new EnumMap<>(ImageStatus.class);
    counts.forEach((status, rows) -> sums.merge(status, rows, Long::sum));
    other.counts.forEach((status, rows) -> sums.merge(status, rows, Long::sum));
    List<Problem> both = new ArrayList<>(problems);
    both.addAll(other.problems);
    return new UndrawnRows(sums, first(both));
  }

  long count(ImageStatus status) {
    return counts.getOrDefault(status, 0L);
  }
}
