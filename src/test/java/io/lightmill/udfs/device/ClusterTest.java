package io.lightmill.udfs.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.DeviceChoice;
import java.util.Arrays;
import java.util.Optional;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ClusterTest {

  private static SparkConf conf(String master, String... settings) {
    SparkConf conf = new SparkConf(false).setMaster(master);
    for (int i = 0; i < settings.length; i += 2) {
      conf.set(settings[i], settings[i + 1]);
    }
    return conf;
  }

  /** Of a machine without GPUs. */
  private static Cluster cluster(SparkConf conf, int executors, int cores) {
    return Cluster.of(conf, executors, cores, DeviceChoice.AUTO, () -> 0);
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

    assertThatThrownBy(() -> cluster(conf, 0, 2))
        .isInstanceOfSatisfying(
            LightmillException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.CONFIGURATION_INVALID))
        .hasMessageContaining("master '" + master + "'")
        .hasMessageContaining("leave both out");
  }

  @ParameterizedTest
  @CsvSource({"spark://host:7077", "yarn", "k8s://https://host", "'local-cluster[2,4,1024]'"})
  void whereOnlyExecutorsHaveGpusTheGeneratingStageAsksForThem(String master) {
    SparkConf conf =
        conf(
            master,
            "spark.executor.resource.gpu.amount",
            "2",
            "spark.executor.resource.gpu.discoveryScript",
            "gpus",
            "spark.executor.resource.gpu.vendor",
            "nvidia.com");

    assertThat(cluster(conf, 3, 24)).isEqualTo(new Cluster(true, 6, false, 0, 1));
    assertThat(cluster(conf.set("spark.lightmill.slotsPerGpu", "4"), 3, 24))
        .isEqualTo(new Cluster(true, 24, false, 0, 0.25));
  }

  @ParameterizedTest
  @CsvSource({
    "spark://h, spark.dynamicAllocation.enabled, true, turn dynamic allocation off",
    "mesos://h, spark.ui.enabled, false, master 'mesos://h' gives GPUs to no stage",
    "spark://h, spark.lightmill.slotsPerGpu, 0.5, give a whole number from 1 to 999",
  })
  void whatSparkWouldIgnoreOrWaitForIsRefused(
      String master, String key, String value, String sentence) {
    SparkConf conf = conf(master, "spark.executor.resource.gpu.amount", "1", key, value);

    assertThatThrownBy(() -> cluster(conf, 1, 8))
        .isInstanceOfSatisfying(
            LightmillException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.CONFIGURATION_INVALID))
        .hasMessageContaining(sentence);
  }

  @ParameterizedTest
  @CsvSource({
    "spark://h, 1, 2, each task asks for 2 GPUs",
    "spark://h, 0, 0.5, each task asks for 0.5 GPUs",
    "yarn, 1, 0, name scripts/gpu-discovery in spark.executor.resource.gpu.discoveryScript",
    "k8s://h, 1, 1, name scripts/gpu-discovery in spark.executor.resource.gpu.discoveryScript",
    "spark://h, some, 0, spark.executor.resource.gpu.amount is 'some'",
    "spark://h, 1, -1, spark.task.resource.gpu.amount is '-1'",
  })
  void gpusThatNobodyCanGrantAreRefused(
      String master, String executor, String task, String sentence) {
    SparkConf conf =
        conf(
            master,
            "spark.executor.resource.gpu.amount",
            executor,
            "spark.task.resource.gpu.amount",
            task);

    assertThatThrownBy(() -> cluster(conf, 1, 8))
        .isInstanceOfSatisfying(
            LightmillException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.CONFIGURATION_INVALID))
        .hasMessageContaining(sentence);
  }

  @Test
  void kubernetesNeedsTheVendorOfGpus() {
    SparkConf conf =
        conf(
            "k8s://h",
            "spark.executor.resource.gpu.amount",
            "1",
            "spark.executor.resource.gpu.discoveryScript",
            "gpus");

    assertThatThrownBy(() -> cluster(conf, 1, 8))
        .isInstanceOfSatisfying(
            LightmillException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.CONFIGURATION_INVALID))
        .hasMessageEndingWith("set spark.executor.resource.gpu.vendor=nvidia.com");
  }

  @ParameterizedTest
  @CsvSource({"local[2], true", "spark://host:7077, false"})
  void noGpusAreNoneHoweverThatIsWritten(String master, boolean local) {
    SparkConf conf =
        conf(
            master,
            "spark.executor.resource.gpu.amount",
            "0",
            "spark.task.resource.gpu.amount",
            "0");

    assertThat(cluster(conf, 1, 8)).isEqualTo(new Cluster(false, 8, local, 0));
  }

  @Test
  void tasksOfASessionThatAskForGpusAreLeftAlone() {
    SparkConf conf =
        conf(
            "spark://host:7077",
            "spark.executor.resource.gpu.amount",
            "1",
            "spark.task.resource.gpu.amount",
            "1",
            "spark.dynamicAllocation.enabled",
            "true");

    assertThat(cluster(conf, 1, 8)).isEqualTo(new Cluster(true, 1, false, 0, 0));
    assertThatThrownBy(() -> cluster(conf.set("spark.lightmill.slotsPerGpu", "2"), 1, 8))
        .hasMessageContaining("leave the second out");
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

    assertThat(cluster(conf, 2, 8)).isEqualTo(new Cluster(true, 8, false, 0));
    assertThat(cluster(conf.set("spark.executor.instances", "5"), 0, 8))
        .isEqualTo(new Cluster(true, 20, false, 0));
  }

  @Test
  void slotsAreTheCoresWhereThereIsNoGpu() {
    assertThat(cluster(conf("local[6]"), 0, 6)).isEqualTo(new Cluster(false, 6, true, 0));
  }

  @ParameterizedTest
  @CsvSource({"0,1", "1,1", "7,7", "20,16", "100,25", "128,32", "100000,32"})
  void partitionsAreFourToEightASlotAndNeverMoreThanBatches(long batches, int partitions) {
    assertThat(new Cluster(false, 4, false, 0).partitions(batches)).isEqualTo(partitions);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 1",
    "1, 1",
    "2, 1 1",
    "5, 1 1",
    "6, 2 2 1 1",
    "12, 3 3 2 2 1 1",
    "71, 7 7 6 6 5 5 4 4 3 3 2 2 1 1",
    "72, 8 8 7 7 6 6 5 5 4 4 3 3 2 2 1 1",
    "1000000000, 8 8 7 7 6 6 5 5 4 4 3 3 2 2 1 1"
  })
  void laterPartitionsAreSmallerAndNoneLacksABatch(long batches, String sizes) {
    assertThat(new Cluster(false, 2, false, 0).partitionSizes(batches))
        .containsExactly(Arrays.stream(sizes.split(" ")).mapToInt(Integer::parseInt).toArray());
  }

  @ParameterizedTest
  @EnumSource(
      value = DeviceChoice.class,
      names = {"AUTO", "CUDA"})
  void inLocalModeTheMachinesOwnGpusDraw(DeviceChoice wanted) {
    assertThat(Cluster.of(conf("local[16]"), 0, 16, wanted, () -> 2))
        .isEqualTo(new Cluster(true, 2, true, 2));
  }

  @Test
  void theCpuDrawsWhereItIsAskedTo() {
    assertThat(Cluster.of(conf("local[16]"), 0, 16, DeviceChoice.CPU, () -> 2))
        .isEqualTo(new Cluster(false, 16, true, 0));
    SparkConf gpus =
        conf(
            "spark://host:7077",
            "spark.executor.resource.gpu.amount",
            "1",
            "spark.task.resource.gpu.amount",
            "1");
    assertThat(Cluster.of(gpus, 1, 8, DeviceChoice.CPU, () -> 0))
        .isEqualTo(new Cluster(false, 8, false, 0));
  }

  @ParameterizedTest
  @CsvSource({
    "local[2],libtorch sees no GPU here",
    "spark://host:7077,set spark.executor.resource.gpu.amount"
  })
  void gpusThatAreAskedForAndAreNotThereAreRefused(String master, String fix) {
    assertThatThrownBy(() -> Cluster.of(conf(master), 0, 2, DeviceChoice.CUDA, () -> 0))
        .isInstanceOfSatisfying(
            LightmillException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.CONFIGURATION_INVALID))
        .hasMessageContaining(fix)
        .hasMessageEndingWith("or choose cpu");
  }

  @Test
  void onlyInLocalModeThisMachineIsAskedForItsGpus() {
    assertThat(
            Cluster.of(
                conf("spark://host:7077"),
                1,
                8,
                DeviceChoice.AUTO,
                () -> {
                  throw new AssertionError("the driver draws nothing");
                }))
        .isEqualTo(new Cluster(false, 8, false, 0));
  }

  @Test
  void onlyGpusDrawInBatches() {
    Cluster gpus = new Cluster(true, 4, true, 4);
    assertThat(gpus.batchSize(Optional.of(8))).isEqualTo(8);
    assertThat(gpus.batchSize(Optional.empty())).isZero(); // measured
    assertThat(new Cluster(false, 4, true, 0).batchSize(Optional.of(8))).isEqualTo(1);
  }

  @Test
  void aPlanKeepsChunksTogetherAsFarAsEverySlotHasWork() {
    Cluster gpus = new Cluster(true, 4, true, 4);
    assertThat(gpus.together(3, 0, 1000)).isEqualTo(3);
    assertThat(gpus.together(0, 0, 1000)).isEqualTo(8);
    assertThat(gpus.together(3, 64, 1000)).isEqualTo(64);
    assertThat(gpus.together(3, 64, 24)).isEqualTo(6);
    assertThat(gpus.together(3, 64, 25)).isEqualTo(7);
    assertThat(gpus.together(3, 64, 0)).isEqualTo(1);
  }
}
