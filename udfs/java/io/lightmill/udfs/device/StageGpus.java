package io.lightmill.udfs.device;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.resource.ResourceProfile;
import org.apache.spark.resource.ResourceProfileBuilder;
import org.apache.spark.resource.TaskResourceRequests;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;

/**
 * GPUs for the generating stage alone. Where executors have GPUs and the session's tasks request
 * none, a task-only resource profile requests them for that stage, so that a task that reads tables
 * waits for cores and not for GPUs.
 */
public final class StageGpus {

  private static final String DYNAMIC_ALLOCATION = "spark.dynamicAllocation.enabled";

  private StageGpus() {}

  /**
   * GPUs that a generating task requests in its own profile; 0 where the session's settings decide.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID} for settings under which Spark
   *     would ignore the profile, refuse it midway, or wait for ever
   */
  static double perTask(SparkConf conf) {
    int slots = slots(conf);
    RequestedGpus requested = RequestedGpus.of(conf);
    if (requested.task() > 0) {
      if (slots > 1) {
        throw refused(
            "%s=%d and %s=%s both say how tasks share GPUs; leave the second out"
                .formatted(
                    Cluster.SLOTS_PER_GPU,
                    slots,
                    RequestedGpus.TASK,
                    conf.get(RequestedGpus.TASK)));
      }
      return 0;
    }
    if (requested.executor() == 0) {
      return 0;
    }
    if (conf.getBoolean(DYNAMIC_ALLOCATION, false)) {
      // Spark starts other executors for a profile, while those that planned keep their GPUs as
      // long as their shuffle files are needed: on a full cluster, for ever.
      throw refused(
          "with %s=true the executors that read the table would keep their GPUs from those that draw; set %s, such as 1, or turn dynamic allocation off"
              .formatted(DYNAMIC_ALLOCATION, RequestedGpus.TASK));
    }
    String master = conf.get("spark.master");
    if (!master.matches("(spark|k8s)://.*|yarn|local-cluster\\[.*")) {
      throw refused(
          "master '%s' gives GPUs to no stage of its own; set %s, such as 1, or use a standalone, YARN or Kubernetes master"
              .formatted(master, RequestedGpus.TASK));
    }
    return 1.0 / slots;
  }

  /**
   * The rows, computed by tasks that request the GPUs of the cluster's generating tasks. Where they
   * request them in a profile of their own, the call runs the Spark jobs before that stage.
   */
  public static Dataset<Row> given(Cluster cluster, Dataset<Row> rows) {
    if (cluster.taskGpus() == 0) {
      return rows;
    }
    SparkSession spark = rows.sparkSession();
    StructType schema = rows.schema();
    JavaRDD<Row> drawn =
        rows.javaRDD().withResources(profile(spark.sparkContext().getConf(), cluster.taskGpus()));
    return spark.createDataFrame(drawn, schema);
  }

  private static ResourceProfile profile(SparkConf conf, double gpus) {
    TaskResourceRequests task =
        new TaskResourceRequests().cpus(conf.getInt("spark.task.cpus", 1)).resource("gpu", gpus);
    return new ResourceProfileBuilder().require(task).build();
  }

  private static int slots(SparkConf conf) {
    String requested = conf.get(Cluster.SLOTS_PER_GPU, "1");
    if (!requested.matches("[1-9]\\d{0,2}")) {
      throw refused(
          "%s is '%s', which is no number of tasks; give a whole number from 1 to 999"
              .formatted(Cluster.SLOTS_PER_GPU, requested));
    }
    return Integer.parseInt(requested);
  }

  private static LightmillException refused(String sentence) {
    return new LightmillException(ErrorCode.CONFIGURATION_INVALID, sentence);
  }
}
