package io.lightmill.udfs;

import java.io.IOException;
import org.apache.spark.SparkConf;
import org.apache.spark.deploy.LocalSparkCluster;

/**
 * Loads the classes of the JVMs that tests start, for the {@link TestClassArchive}: those of a
 * standalone cluster, and of a driver that runs jobs.
 */
final class ArchiveTraining {

  private ArchiveTraining() {}

  /** Arguments: settings of Spark for the driver as {@code key=value}. */
  public static void main(String... arguments) throws IOException {
    SparkConf settings = new SparkConf().set("spark.master.rest.enabled", "false");
    LocalSparkCluster cluster = LocalSparkCluster.apply(1, 1, 512, settings);
    cluster.start(); // the worker registers with the master before the first job has ended
    ChaosDriver.main(arguments);
    cluster.stop();
  }
}
