package io.lightmill.udfs.device;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import org.apache.spark.SparkConf;

/**
 * The GPUs that a session requests from Spark.
 *
 * @param executor that each executor requests; 0 for none
 * @param task that every task requests; 0 for none
 * @param discovered whether executors have a way to find theirs
 * @param vendor whether it is named, as Kubernetes' resources are
 */
record RequestedGpus(double executor, double task, boolean discovered, boolean vendor) {

  static final String EXECUTOR = "spark.executor.resource.gpu.amount";
  static final String TASK = "spark.task.resource.gpu.amount";

  private static final String DISCOVERY = "spark.executor.resource.gpu.discoveryScript";
  private static final String DISCOVERY_PLUGIN = "spark.resources.discoveryPlugin";
  private static final String VENDOR = "spark.executor.resource.gpu.vendor";

  static RequestedGpus of(SparkConf conf) {
    return new RequestedGpus(
        amount(conf, EXECUTOR),
        amount(conf, TASK),
        conf.contains(DISCOVERY) || conf.contains(DISCOVERY_PLUGIN),
        conf.contains(VENDOR));
  }

  /** An amount of 0 is as good as none: so Spark reads it too. */
  private static double amount(SparkConf conf, String key) {
    String amount = conf.get(key, "0");
    if (!amount.matches("\\d{1,4}(\\.\\d{1,9})?")) {
      throw refused(
          "%s is '%s', which is no number of GPUs; give one, such as 1".formatted(key, amount));
    }
    return Double.parseDouble(amount);
  }

  /**
   * Refuses what Spark would wait for without an end.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID}
   */
  void requireGrantable(String master, boolean local) {
    if (local && (executor > 0 || task > 0)) {
      throw refused(
          "master '%s' never hands out the GPUs that %s and %s ask for, and would wait for ever; leave both out, or use a standalone, YARN or Kubernetes master"
              .formatted(master, EXECUTOR, TASK));
    }
    if (task > executor) {
      throw refused(
          "each task asks for %s GPUs (%s), but no executor has as many (%s=%s), so none would ever begin; raise the second or leave the first out"
              .formatted(number(task), TASK, EXECUTOR, number(executor)));
    }
    // A worker of a standalone cluster finds its GPUs itself; elsewhere executors that cannot find
    // theirs end at once, and are started again and again.
    if (executor > 0 && !discovered && master.matches("yarn|k8s://.*")) {
      throw refused(
          "executors ask for GPUs (%s=%s), but not how to find them, and each would end at its start; name scripts/gpu-discovery in %s as CLUSTERS.md shows"
              .formatted(EXECUTOR, number(executor), DISCOVERY));
    }
    if (executor > 0 && !vendor && master.startsWith("k8s://")) {
      throw refused(
          "executors ask for GPUs (%s=%s), but Kubernetes knows them by a vendor's name and would start none; set %s=nvidia.com"
              .formatted(EXECUTOR, number(executor), VENDOR));
    }
  }

  private static String number(double amount) {
    return amount == Math.rint(amount) ? Integer.toString((int) amount) : Double.toString(amount);
  }

  private static LightmillException refused(String sentence) {
    return new LightmillException(ErrorCode.CONFIGURATION_INVALID, sentence);
  }
}
