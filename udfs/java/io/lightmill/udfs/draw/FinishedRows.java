package io.lightmill.udfs.draw;

import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.manifest.Outcome;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.spark.sql.Row;

/** The manifest rows of a task, and how many of them are failures. Safe for several threads. */
final class FinishedRows {

  private final Thumbnails thumbnails;
  private final AtomicLong failures = new AtomicLong();

  FinishedRows(Thumbnails thumbnails) {
    this.thumbnails = thumbnails;
  }

  /** Failed, invalid and uncertain rows so far. */
  long failures() {
    return failures.get();
  }

  /** The row of an image without a thumbnail. */
  Row of(ManifestRows manifest, Row planned, Outcome outcome) {
    return of(manifest, planned, outcome, Optional.empty());
  }

  /** The rows of an image that was not drawn by this task. */
  List<Row> of(ManifestRows manifest, List<Row> rows, List<Outcome> outcomes) {
    return of(manifest, rows, outcomes, Optional.<byte[]>empty());
  }

  /** The rows of a drawn image, with a thumbnail if it is stored. */
  List<Row> of(ManifestRows manifest, List<Row> rows, List<Outcome> outcomes, DrawnImage drawn) {
    return of(
        manifest,
        rows,
        outcomes,
        outcomes.get(0).status() == ImageStatus.GENERATED
            ? thumbnails.of(ManifestColumns.IMAGE_ID.of(rows.get(0)), drawn.image())
            : Optional.empty());
  }

  private List<Row> of(
      ManifestRows manifest, List<Row> rows, List<Outcome> outcomes, Optional<byte[]> thumbnail) {
    Iterator<Outcome> each = outcomes.iterator();
    return rows.stream().map(row -> of(manifest, row, each.next(), thumbnail)).toList();
  }

  private Row of(ManifestRows manifest, Row planned, Outcome outcome, Optional<byte[]> thumbnail) {
    if (outcome.status().isFailure()) {
      failures.incrementAndGet();
    }
    return manifest.row(planned, outcome, thumbnail);
  }
}
