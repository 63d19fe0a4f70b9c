package io.lightmill.udfs.manifest;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.Verdict;
import io.lightmill.pipeline.image.ImageFormat;
import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.device.Model;
import io.lightmill.udfs.store.PathTemplate;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.spark.sql.Row;

/**
 * What the columns of one manifest row are filled from.
 *
 * @param planned the row of the plan
 * @param verdicts on the prompt, then on the image
 * @param task that writes the row
 */
public record ManifestRow(Row planned, Outcome outcome, List<Verdict> verdicts, Task task) {

  /** Column of the plan: the key under which the row's image is to be stored. */
  public static final String KEY = "key";

  /** A row with the verdicts of plan and outcome. */
  public static ManifestRow of(Row planned, Outcome outcome, Task task) {
    return new ManifestRow(
        planned,
        outcome,
        Stream.concat(
                VerdictJson.read(ManifestColumns.VERDICTS.of(planned)).stream(),
                outcome.facts().verdicts().stream())
            .toList(),
        task);
  }

  /**
   * Whether nothing but the row's own image is known of the row, under the key of the plan: no
   * verdict, no error, and no copy elsewhere. The plan of such a row follows from its manifest row.
   */
  boolean isPlain() {
    StoredImage image = outcome.image();
    String key = planned.getAs(KEY);
    boolean exists =
        outcome.status() == ImageStatus.GENERATED || outcome.status() == ImageStatus.REUSED;
    return exists
        && image != null
        && key != null
        && verdicts.isEmpty()
        && (image.member() == null
            ? key.equals(image.path())
            : PathTemplate.name(key).equals(image.member()));
  }

  /** The verdict that decides. */
  Optional<Verdict> verdict() {
    return Verdict.deciding(verdicts);
  }

  /**
   * What the rows of one task have in common.
   *
   * @param attempt number of Spark's attempt at the task, from 0
   */
  public record Task(Model model, ImageFormat format, String runId, int attempt, Device device) {}
}
