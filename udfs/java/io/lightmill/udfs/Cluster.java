package io.lightmill.udfs;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;

/**
 * Where the generating tasks will run.
 *
 * @param cuda whether tasks are given GPUs
 * @param slots tasks that run at a time
 */
record Cluster(boolean cuda, int slots) {

  private static final String EXECUTOR_GPUS = "spark.executor.resource.gpu.amount";
  private static final String TASK_GPUS = "spark.task.resource.gpu.amount";

  /** More partitions a slot make a lost task cheap and the last tasks short. */
  private static final int MOST_PARTITIONS_PER_SLOT = 8;

  /** So that a task has something to draw while it stores. */
  private static final int BATCHES_PER_PARTITION = 4;

  private static final int PARTITIONS_PER_SLOT = 4;

  /**
   * Reads the session's configuration.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID} for GPU settings under which
   *     Spark would wait for ever, or draw on CPUs beside idle GPUs
   */
  static Cluster of(SparkContext spark) {
    int executors =
        spark.statusTracker().getExecutorInfos().length - 1; // one of them is the driver
    return of(spark.getConf(), executors, spark.defaultParallelism());
  }

  /**
   * Reads a configuration.
   *
   * @param executors that are there already
   * @param cores of all executors
   */
  static Cluster of(SparkConf conf, int executors, int cores) {
    String master = conf.get("spark.master");
    boolean local = master.matches("local(\\[.*])?");
    if (local && (conf.contains(EXECUTOR_GPUS) || conf.contains(TASK_GPUS))) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "master '%s' never hands out the GPUs that %s and %s ask for, and would wait for ever; leave both out, or use a standalone, YARN or Kubernetes master"
              .formatted(master, EXECUTOR_GPUS, TASK_GPUS));
    }
    if (conf.contains(EXECUTOR_GPUS) && !conf.contains(TASK_GPUS)) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "executors have GPUs (%s=%s) but tasks ask for none, and would draw on the CPU; set %s, such as 1"
              .formatted(EXECUTOR_GPUS, conf.get(EXECUTOR_GPUS), TASK_GPUS));
    }
    return conf.contains(TASK_GPUS)
        ? new Cluster(true, Math.max(executors, asked(conf)) * tasksPerExecutor(conf))
        : new Cluster(false, Math.max(1, cores));
  }

  private static int asked(SparkConf conf) {
    return conf.getInt("spark.executor.instances", 1);
  }

  private static int tasksPerExecutor(SparkConf conf) {
    double perTask = conf.getDouble(TASK_GPUS, 1);
    return Math.max(1, (int) Math.floor(conf.getDouble(EXECUTOR_GPUS, 1) / perTask));
  }

  /** Partitions of the generating stage: four to eight a slot, never more than batches. */
  int partitions(long batches) {
    long few = Math.min(batches, (long) PARTITIONS_PER_SLOT * slots);
    long many = Math.min(batches / BATCHES_PER_PARTITION, (long) MOST_PARTITIONS_PER_SLOT * slots);
    return (int) Math.max(1, Math.max(few, many));
  }
}
