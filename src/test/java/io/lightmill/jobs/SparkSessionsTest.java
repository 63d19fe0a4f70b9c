package io.lightmill.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;

class SparkSessionsTest {

  @Test
  void aLocalSessionIsLean() {
    SparkConf conf = SparkSessions.configured(conf("local[*]"));
    assertThat(conf.get("spark.plugins")).isEqualTo("io.lightmill.udfs.progress.ProgressPlugin");
    assertThat(conf.get("spark.ui.enabled")).isEqualTo("false");
    assertThat(conf.get("spark.ui.showConsoleProgress")).isEqualTo("false");
    assertThat(conf.get("spark.sql.shuffle.partitions")).isEqualTo("8");
    assertThat(conf.contains("spark.executor.extraJavaOptions")).isFalse();
  }

  @Test
  void aClusterKeepsItsShapeAndTellsExecutorsAboutTheEngine() {
    SparkConf conf = SparkSessions.configured(conf("yarn"));
    assertThat(conf.contains("spark.ui.enabled")).isFalse();
    assertThat(conf.contains("spark.driver.host")).isFalse();
    assertThat(conf.contains("spark.sql.shuffle.partitions")).isFalse();
    assertThat(conf.get("spark.executor.extraJavaOptions"))
        .isEqualTo("-Dai.djl.offline=true -Djava.awt.headless=true");
    assertThat(conf.get("spark.executorEnv.OMP_WAIT_POLICY")).isEqualTo("PASSIVE");
    assertThat(conf.get("spark.executorEnv.THP_MEM_ALLOC_ENABLE")).isEqualTo("1");
  }

  @Test
  void theUserWins() {
    SparkConf conf =
        SparkSessions.configured(
            conf("local[2]")
                .set("spark.ui.enabled", "true")
                .set("spark.log.level", "INFO")
                .set("spark.plugins", "org.example.Metrics"));
    assertThat(conf.get("spark.ui.enabled")).isEqualTo("true");
    assertThat(conf.get("spark.log.level")).isEqualTo("INFO");
    assertThat(conf.get("spark.plugins"))
        .isEqualTo("io.lightmill.udfs.progress.ProgressPlugin,org.example.Metrics");
  }

  @Test
  void javaOptionsOfTheUserComeLastBecauseTheLastOneCounts() {
    SparkConf conf =
        conf("yarn").set("spark.executor.extraJavaOptions", "-Xss4m -Dai.djl.offline=false");
    assertThat(SparkSessions.configured(conf).get("spark.executor.extraJavaOptions"))
        .isEqualTo("-Dai.djl.offline=true -Djava.awt.headless=true -Xss4m -Dai.djl.offline=false");
  }

  private static SparkConf conf(String master) {
    return new SparkConf(false).setMaster(master);
  }
}
