package io.lightmill.udfs.run;

import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.hosted.SentRequests;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.store.ImageStore;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Requests to a hosted model whose outcomes are in a committed manifest. */
final class AnsweredRequests {

  private static final Logger LOG = LoggerFactory.getLogger(AnsweredRequests.class);

  /** Statuses of rows with the outcome of a request. */
  private static final Object[] ANSWERED = {
    ImageStatus.GENERATED.label(),
    ImageStatus.REUSED.label(),
    ImageStatus.FAILED.label(),
    ImageStatus.UNCERTAIN.label()
  };

  private AnsweredRequests() {}

  /**
   * Deletes the records of requests whose outcomes are in the committed manifest. What cannot be
   * deleted is left to the next run.
   */
  static void forget(PreparedRun run, Dataset<Row> rows) {
    if (!run.checkpoint().model().hosted()) {
      return;
    }
    try {
      ImageStore store =
          ImageStore.open(run.output(), run.spark().sparkContext().hadoopConfiguration());
      List<SentRequests.Open> open = SentRequests.open(store, Optional.empty());
      if (!open.isEmpty()) {
        Set<String> answered = answered(rows, open);
        SentRequests.forget(
            store, open.stream().filter(each -> answered.contains(each.imageId())).toList());
      }
      store.removal().emptyTree(SentRequests.DIRECTORY);
    } catch (Exception e) { // Spark throws checked exceptions that Scala does not declare
      LOG.warn(
          "Images and manifest are complete; some files below {}/{} could not be removed and are"
              + " left to the next run",
          run.output(),
          SentRequests.DIRECTORY,
          e);
    }
  }

  /** The images of requests that have a row. */
  private static Set<String> answered(Dataset<Row> rows, List<SentRequests.Open> open) {
    Object[] ids = open.stream().map(SentRequests.Open::imageId).toArray();
    return rows
        .filter(
            ManifestColumns.IMAGE_ID
                .col()
                .isin(ids)
                .and(ManifestColumns.STATUS.col().isin(ANSWERED)))
        .select(ManifestColumns.IMAGE_ID.col())
        .collectAsList()
        .stream()
        .map(row -> row.getString(0))
        .collect(Collectors.toSet());
  }
}
