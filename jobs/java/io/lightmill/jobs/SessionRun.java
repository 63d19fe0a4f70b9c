package io.lightmill.jobs;

import io.lightmill.udfs.run.RunResult;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.Function;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.SparkSession;

/**
 * A run in a Spark session of its own, which ends before the result is printed.
 *
 * @param name of the Spark application
 * @param started when the process started
 */
record SessionRun(SparkConf conf, String name, Instant started) {

  /** Runs, prints the result and returns it with the time that the process took. */
  RunResult printed(PrintedResult printed, Function<SparkSession, RunResult> run)
      throws IOException {
    RunResult result;
    List<String> failures;
    try (SparkSession session = SparkSessions.start(conf, name)) {
      result = run.apply(session);
      failures = result.summary().failureLines(result::manifest);
    }
    RunResult ended = result.lasting(Duration.between(started, Instant.now()));
    printed.print(ended, failures);
    return ended;
  }
}
