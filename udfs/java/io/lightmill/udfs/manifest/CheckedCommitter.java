package io.lightmill.udfs.manifest;

import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.mapreduce.JobContext;
import org.apache.hadoop.mapreduce.TaskAttemptContext;
import org.apache.spark.internal.io.cloud.BindingParquetOutputCommitter;

/**
 * Spark's committer for S3, which makes a check in the driver just before it commits the job. Spark
 * creates it by reflection.
 */
public final class CheckedCommitter extends BindingParquetOutputCommitter {

  private static final String CHECK = "lightmill.commit.check";

  /** The checks of this driver, by their names in the configuration of a job. */
  private static final Map<String, Runnable> CHECKS = new ConcurrentHashMap<>();

  public CheckedCommitter(Path output, TaskAttemptContext context) {
    super(output, context);
  }

  /** A check that is made until it is closed. */
  record Check(String name) implements AutoCloseable {

    /** Options for the writer whose commit is checked. */
    Map<String, String> options() {
      return Map.of(
          CHECK,
          name,
          "spark.sql.parquet.output.committer.class",
          CheckedCommitter.class.getName());
    }

    @Override
    public void close() {
      CHECKS.remove(name);
    }
  }

  /**
   * @param check throws if the commit is no longer allowed
   */
  static Check before(Runnable check) {
    Check named = new Check(UUID.randomUUID().toString());
    CHECKS.put(named.name(), check);
    return named;
  }

  @Override
  public void commitJob(JobContext context) {
    CHECKS.get(context.getConfiguration().get(CHECK)).run();
    super.commitJob(context);
  }
}
