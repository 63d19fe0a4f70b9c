package io.lightmill.jobs;

import static org.apache.spark.sql.functions.col;

import io.lightmill.udfs.GenerationSettings;
import io.lightmill.udfs.ImageGeneration;
import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.option.Redaction;
import io.lightmill.udfs.report.ContactSheet;
import io.lightmill.udfs.report.RunContactSheet;
import io.lightmill.udfs.report.RunFacts;
import io.lightmill.udfs.report.RunRecord;
import io.lightmill.udfs.report.SheetRows;
import io.lightmill.udfs.report.SparkEnvironment;
import io.lightmill.udfs.store.ImageStore;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A run whose manifest is committed, and what it leaves behind for people: a run record, a contact
 * sheet, and a summary on the screen.
 *
 * @param asked options by the keys of job files
 * @param started when the command did
 * @param flowing when Spark had started
 * @param ended when the manifest was committed
 */
record FinishedRun(
    GenerationSettings settings,
    Map<String, Object> asked,
    ImageGeneration.Result result,
    Instant started,
    Instant flowing,
    Instant ended) {

  private static final Logger LOG = LoggerFactory.getLogger(FinishedRun.class);

  RunSummary summary() {
    return new RunSummary(result.statuses(), result.generateSeconds());
  }

  /**
   * Writes the run record and the contact sheet, and says where everything is. Images and manifest
   * are safe by now: a contact sheet that cannot be drawn is said, and changes nothing.
   */
  void leaveBehind(SparkSession spark, PrintWriter out, PrintWriter err) {
    ImageStore output =
        ImageStore.open(settings.output(), spark.sparkContext().hadoopConfiguration());
    String record = "runs/" + settings.runId() + ".json";
    output.put(
        record, record(SparkEnvironment.of(spark.sparkContext())).json(), "application/json");

    out.println(summary().sentence());
    summary().printFailures(result.manifest(), out);
    say(out, "manifest", "manifest/run_id=" + settings.runId());
    say(out, "run record", record);
    if (summary().settled() > 0 && drawn(output, err)) {
      say(out, "contact sheet", RunContactSheet.PAGE);
      say(out, "", RunContactSheet.PICTURE);
    }
    out.flush();
  }

  private boolean drawn(ImageStore output, PrintWriter err) {
    Dataset<Row> settled =
        result.manifest().filter(col("status").notEqual(ImageStatus.PENDING.label()));
    try {
      new RunContactSheet(
              output, SheetRows.of(settled, summary().settled(), ContactSheet.MAX_TILES))
          .store(
              new RunFacts(
                  settings.runId(),
                  Redaction.location(settings.checkpoint()),
                  summary().inOrder(),
                  Duration.between(started, ended)));
      return true;
    } catch (RuntimeException e) { // whatever it is, the run succeeded
      LOG.warn("No contact sheet for run {}", settings.runId(), e);
      err.println("lightmill: The contact sheet could not be drawn: " + e.getMessage());
      return false;
    }
  }

  private void say(PrintWriter out, String what, String where) {
    String root = settings.output();
    out.printf("  %-14s %s%s%s%n", what, root, root.endsWith("/") ? "" : "/", where);
  }

  private RunRecord record(SparkEnvironment spark) {
    return new RunRecord(
        settings.runId(),
        started,
        ended,
        asked,
        new RunRecord.Checkpoint(Redaction.location(settings.checkpoint()), result.modelDigest()),
        summary().inOrder(),
        new RunRecord.Seconds(
            seconds(started, flowing),
            result.planSeconds(),
            result.loadSeconds(),
            result.generateSeconds(),
            result.engineSeconds(),
            seconds(started, ended)),
        summary().imagesPerSecond(),
        spark,
        new Versions().byName());
  }

  private static double seconds(Instant from, Instant to) {
    return Duration.between(from, to).toMillis() / 1000.0;
  }
}
