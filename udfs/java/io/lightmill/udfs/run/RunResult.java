package io.lightmill.udfs.run;

import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.report.RunRecord;
import io.lightmill.udfs.report.RunSummary;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * The results of a run whose manifest is committed.
 *
 * @param runId of the run
 * @param manifest one row for each image, read from the committed manifest
 * @param manifestLocation Parquet file of the manifest
 * @param summary counts and rate
 * @param record options, environment and times
 * @param recordLocation file of the run record; empty if it could not be written
 * @param contactSheet HTML page; empty if there is none
 * @param contactSheetImage PNG; empty if there is none
 * @param problems failures after the commit, one sentence each; images and manifest are complete
 */
public record RunResult(
    String runId,
    Dataset<Row> manifest,
    String manifestLocation,
    RunSummary summary,
    RunRecord record,
    Optional<String> recordLocation,
    Optional<String> contactSheet,
    Optional<String> contactSheetImage,
    List<String> problems) {

  /** The same result with the manifest as a DataFrame of this session. */
  RunResult in(SparkSession session) {
    return new RunResult(
        runId,
        session.read().schema(manifest.schema()).parquet(manifestLocation),
        manifestLocation,
        summary,
        record,
        recordLocation,
        contactSheet,
        contactSheetImage,
        problems);
  }

  /** Rows by status; statuses of no row are left out. */
  public Map<ImageStatus, Long> counts() {
    return summary.counts();
  }
}
