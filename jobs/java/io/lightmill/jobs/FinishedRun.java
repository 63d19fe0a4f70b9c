package io.lightmill.jobs;

import io.lightmill.udfs.GenerationSettings;
import io.lightmill.udfs.ImageGeneration;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.SparkSession;

/** A run whose manifest is committed: what it leaves behind for people. */
record FinishedRun(
    GenerationSettings settings,
    Map<String, Object> asked,
    ImageGeneration.Result result,
    Instant started,
    Instant ended) {

  RunSummary summary() {
    return new RunSummary(result.statuses(), result.generateSeconds());
  }

  /** Writes the run record and says where everything is. */
  void leaveBehind(SparkSession spark, PrintWriter out) {
    OutputDirectory output =
        new OutputDirectory(settings.output(), spark.sparkContext().hadoopConfiguration());
    Path record =
        output.write(
            "runs/" + settings.runId() + ".json",
            record(SparkFacts.of(spark.sparkContext())).json());
    out.println(summary().sentence());
    summary().printFailures(result.manifest(), out);
    out.println("  manifest       " + output.resolve("manifest/run_id=" + settings.runId()));
    out.println("  run record     " + record);
    out.flush();
  }

  private RunRecord record(SparkFacts spark) {
    return new RunRecord(
        settings.runId(),
        started,
        ended,
        asked,
        new RunRecord.Checkpoint(Redaction.location(settings.checkpoint()), result.modelDigest()),
        new TreeMap<>(result.statuses()),
        new RunRecord.Seconds(
            result.planSeconds(),
            result.generateSeconds(),
            result.engineSeconds(),
            Duration.between(started, ended).toMillis() / 1000.0),
        summary().imagesPerSecond(),
        spark,
        new Versions().byName());
  }
}
