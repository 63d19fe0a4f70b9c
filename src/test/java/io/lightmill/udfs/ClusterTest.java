package io.lightmill.udfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClusterTest {

  private static SparkConf conf(String master, String... settings) {
    SparkConf conf = new SparkConf(false).setMaster(master);
    for (int i = 0; i < settings.length; i += 2) {
      conf.set(settings[i], settings[i + 1]);
    }
    return conf;
  }

  @ParameterizedTest
  @CsvSource({"local", "local[2]", "'local[*,3]'"})
  void localMastersThatWouldWaitForGpusForEverAreRefused(String master) {
    SparkConf conf =
        conf(
            master,
            "spark.executor.resource.gpu.amount",
            "1",
            "spark.task.resource.gpu.amount",
            "1");

    assertThatThrownBy(() -> Cluster.of(conf, 0, 2))
        .isInstanceOfSatisfying(
            LightmillException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.CONFIGURATION_INVALID))
        .hasMessageContaining("master '" + master + "'")
        .hasMessageContaining("leave both out");
  }

  @Test
  void executorsWithGpusThatNoTaskAsksForAreRefused() {
    SparkConf conf = conf("spark://host:7077", "spark.executor.resource.gpu.amount", "2");

    assertThatThrownBy(() -> Cluster.of(conf, 1, 8))
        .hasMessageContaining("set spark.task.resource.gpu.amount, such as 1");
  }

  @Test
  void slotsAreTheTasksThatHaveAGpu() {
    SparkConf conf =
        conf(
            "local-cluster[2,4,1024]",
            "spark.executor.resource.gpu.amount",
            "2",
            "spark.task.resource.gpu.amount",
            "0.5");

    assertThat(Cluster.of(conf, 2, 8)).isEqualTo(new Cluster(true, 8));
    assertThat(Cluster.of(conf.set("spark.executor.instances", "5"), 0, 8))
        .isEqualTo(new Cluster(true, 20));
  }

  @Test
  void slotsAreTheCoresWhereThereIsNoGpu() {
    assertThat(Cluster.of(conf("local[6]"), 0, 6)).isEqualTo(new Cluster(false, 6));
  }

  @ParameterizedTest
  @CsvSource({"0,1", "1,1", "7,7", "20,16", "100,25", "128,32", "100000,32"})
  void partitionsAreFourToEightASlotAndNeverMoreThanBatches(long batches, int partitions) {
    assertThat(new Cluster(false, 4).partitions(batches)).isEqualTo(partitions);
  }
}
