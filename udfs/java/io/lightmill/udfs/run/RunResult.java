package io.lightmill.udfs.run;

import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.report.RunRecord;
import io.lightmill.udfs.report.RunReport;
import io.lightmill.udfs.report.RunSummary;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;

/**
 * The results of a run whose manifest is committed.
 *
 * @param runId of this attempt: the id of the run, or for a further attempt that id with its number
 * @param session in which {@link #manifest} is read
 * @param schema of the manifest
 * @param manifestLocation Parquet file of the manifest
 * @param summary counts and rate
 * @param record options, environment and times
 * @param recordLocation file of the run record; empty if it could not be written
 * @param contactSheet HTML page; empty if there is none
 * @param contactSheetImage PNG; empty if there is none
 * @param reportPage HTML page with charts, reasons and all pictures; empty if there is none
 * @param problems failures after the commit, one sentence each; images and manifest are complete
 */
public record RunResult(
    String runId,
    SparkSession session,
    StructType schema,
    String manifestLocation,
    RunSummary summary,
    RunRecord record,
    Optional<String> recordLocation,
    Optional<String> contactSheet,
    Optional<String> contactSheetImage,
    Optional<String> reportPage,
    List<String> problems) {

  /** The committed manifest, with one row for each requested image. */
  public Dataset<Row> manifest() {
    return Manifest.read(session, manifestLocation, schema);
  }

  /** The same result with the manifest as a DataFrame of this session. */
  RunResult in(SparkSession session) {
    return new RunResult(
        runId,
        session,
        schema,
        manifestLocation,
        summary,
        record,
        recordLocation,
        contactSheet,
        contactSheetImage,
        reportPage,
        problems);
  }

  /** The same result of a caller that took longer. */
  public RunResult lasting(Duration total) {
    return new RunResult(
        runId,
        session,
        schema,
        manifestLocation,
        summary.in(total.toMillis() / 1000.0),
        record,
        recordLocation,
        contactSheet,
        contactSheetImage,
        reportPage,
        problems);
  }

  /**
   * The report of this run.
   *
   * @param options of the run
   * @param started when the caller started
   */
  public RunReport report(GenerationOptions options, Instant started) {
    return RunReport.committed(
        options.with(Options.RUN_ID, runId),
        started,
        summary,
        new RunReport.Places(manifestLocation, recordLocation, contactSheet, reportPage, problems));
  }

  /** Rows by status; statuses of no row are left out. */
  public Map<ImageStatus, Long> counts() {
    return summary.counts();
  }
}
