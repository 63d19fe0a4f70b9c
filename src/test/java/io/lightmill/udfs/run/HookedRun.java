package io.lightmill.udfs.run;

import io.lightmill.udfs.RunListener;
import io.lightmill.udfs.device.Cluster;
import io.lightmill.udfs.device.JobCheckpoint;
import io.lightmill.udfs.option.GenerationOptions;
import java.time.Clock;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** Runs with a checkpoint, a cluster and a clock of the test. */
public final class HookedRun {

  private HookedRun() {}

  public static RunResult execute(
      SparkSession spark,
      Optional<Dataset<Row>> prompts,
      GenerationOptions options,
      RunListener listener,
      Cluster cluster,
      Supplier<JobCheckpoint> checkpoint,
      Clock clock,
      OptionalLong manyRows) {
    RunHooks hooks = new RunHooks(clock.instant(), clock, cluster, checkpoint);
    return GenerationRun.execute(
        spark,
        prompts,
        options,
        listener,
        manyRows.isEmpty()
            ? hooks
            : new RunHooks(
                hooks.started(), clock, cluster, checkpoint, hooks.chosen(), manyRows.getAsLong()));
  }
}
