package io.lightmill.udfs.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.udfs.DeviceChoice;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.apache.spark.internal.config.ConfigEntry;
import org.apache.spark.internal.config.package$;
import org.apache.spark.scheduler.HealthTracker$;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The settings that users copy: Spark reads them, knows them, and Lightmill draws under them. */
class SparkProfilesTest {

  private static final Path PROFILES = Path.of("conf/spark");

  /** Of modules that these tests have no need of, or named by their users. */
  private static final String ELSEWHERE =
      "spark\\.(kubernetes|yarn|executorEnv|hadoop|lightmill)\\..*|spark\\.executor\\.resource\\.gpu\\..*";

  static Stream<Path> profiles() throws IOException {
    try (Stream<Path> files = Files.list(PROFILES)) {
      return files.sorted().toList().stream();
    }
  }

  private static SparkConf conf(Path profile) throws IOException {
    Properties properties = new Properties(); // as spark-submit reads --properties-file
    try (Reader reader = Files.newBufferedReader(profile)) {
      properties.load(reader);
    }
    SparkConf conf = new SparkConf(false);
    properties.forEach((key, value) -> conf.set((String) key, ((String) value).strip()));
    return conf;
  }

  @Test
  void thereIsOneForEachKindOfCluster() throws IOException {
    assertThat(profiles().map(file -> file.getFileName().toString()))
        .containsExactly(
            "kubernetes.conf", "local.conf", "standalone-cpu.conf", "standalone.conf", "yarn.conf");
  }

  @ParameterizedTest
  @MethodSource("profiles")
  void sparkKnowsEverySetting(Path profile) throws IOException {
    assertThat(package$.MODULE$.SPECULATION_ENABLED().key()).isEqualTo("spark.speculation");
    List<String> unknown =
        Stream.of(conf(profile).getAll())
            .map(setting -> setting._1)
            .filter(key -> !key.matches(ELSEWHERE))
            .filter(key -> ConfigEntry.findEntry(key) == null)
            .filter(key -> !key.equals("spark.master")) // a plain text in Spark's sources
            .toList();
    assertThat(unknown).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "standalone.conf, spark://host:7077, 1",
    "yarn.conf, yarn, 8",
    "kubernetes.conf, k8s://https://host:6443, 8"
  })
  void onlyTheGeneratingStageAsksForGpus(String profile, String master, int slots)
      throws IOException {
    SparkConf conf = conf(PROFILES.resolve(profile)).setMaster(master);

    Cluster cluster = Cluster.of(conf, 0, 8, DeviceChoice.AUTO, () -> 0);

    assertThat(cluster).isEqualTo(new Cluster(true, slots, false, 0, 1));
  }

  @ParameterizedTest
  @ValueSource(strings = {"standalone.conf", "standalone-cpu.conf", "yarn.conf", "kubernetes.conf"})
  void executorsWithABrokenGpuAreExcluded(String profile) throws IOException {
    SparkConf conf = conf(PROFILES.resolve(profile));

    assertThat(conf.getBoolean("spark.excludeOnFailure.enabled", false)).isTrue();
    HealthTracker$.MODULE$.validateExcludeOnFailureConfs(conf);
  }

  @Test
  void withoutGpusEachCoreOfTheClusterDraws() throws IOException {
    SparkConf conf = conf(PROFILES.resolve("standalone-cpu.conf")).setMaster("spark://host:7077");

    Cluster cluster = Cluster.of(conf, 2, 16, DeviceChoice.AUTO, () -> 0);

    assertThat(cluster).isEqualTo(new Cluster(false, 16, false, 0));
    assertThat(conf.getInt("spark.task.cpus", 1)).isEqualTo(1);
  }

  @Test
  void theMachinesOwnGpusDrawInLocalMode() throws IOException {
    SparkConf conf = conf(PROFILES.resolve("local.conf"));

    assertThat(Cluster.of(conf, 0, 8, DeviceChoice.AUTO, () -> 2))
        .isEqualTo(new Cluster(true, 2, true, 2));
  }
}
