package io.lightmill.jobs;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.apache.commons.lang3.Strings;
import org.apache.spark.SparkConf;

/** What Spark needs from the machine, checked before Spark fails with a message of its own. */
final class SparkRequirements {

  private static final String SPARK_HOME = "SPARK_HOME";

  private SparkRequirements() {}

  interface Interfaces {
    void list() throws SocketException;
  }

  /**
   * Spark looks up the address of its host even in local mode.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID} if the machine has no network
   *     interface
   */
  static void requireNetwork() {
    requireNetwork(NetworkInterface::getNetworkInterfaces);
  }

  static void requireNetwork(Interfaces interfaces) {
    try {
      interfaces.list();
    } catch (SocketException e) {
      throw invalid(
          "this machine has no network interface (%s), and Spark needs one even with --master local[*]; enable at least the loopback interface, with 'ip link set lo up' or a network of the container"
              .formatted(e.getMessage()),
          e);
    }
  }

  /**
   * The workers of {@code local-cluster[…]} are processes that a Spark distribution starts.
   *
   * @param environment of this process
   * @throws LightmillException with {@code CONFIGURATION_INVALID} if there is none
   */
  static void requireDistribution(SparkConf conf, Map<String, String> environment) {
    String master = conf.get("spark.master");
    if (!master.startsWith("local-cluster")) {
      return;
    }
    String home = conf.get("spark.home", environment.getOrDefault(SPARK_HOME, ""));
    if (home.isEmpty() || !Files.isDirectory(Path.of(home, "jars"))) {
      throw invalid(
          "master '%s' starts worker processes from a Spark distribution, and %s; set SPARK_HOME to a Spark 4.1 distribution, or use --master 'local[*]'"
              .formatted(
                  master,
                  home.isEmpty()
                      ? "SPARK_HOME is not set"
                      : "SPARK_HOME ('%s') is none".formatted(home)),
          null);
    }
  }

  /** The reason for which Spark did not start, and the fix. */
  static LightmillException unstarted(SparkConf conf, Exception failure) {
    String reason = Strings.CS.removeEnd(String.valueOf(failure.getMessage()), ".");
    if (reason.contains("Invalid UID") || reason.contains("could not determine")) {
      return invalid(
          "Spark does not start: the user id of this process has no name (%s); add it to /etc/passwd, or run the container as a user that has one"
              .formatted(reason),
          failure);
    }
    return invalid(
        "Spark does not start with master '%s': %s; fix --master or --conf"
            .formatted(conf.get("spark.master"), reason),
        failure);
  }

  private static LightmillException invalid(String message, Exception cause) {
    return new LightmillException(ErrorCode.CONFIGURATION_INVALID, message, cause);
  }
}
