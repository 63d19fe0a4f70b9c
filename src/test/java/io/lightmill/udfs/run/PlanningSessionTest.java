package io.lightmill.udfs.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.udfs.TestSpark;
import java.util.Optional;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;

class PlanningSessionTest {

  private static final String SHUFFLE_PARTITIONS = "spark.sql.shuffle.partitions";

  private final SparkSession caller = TestSpark.session().newSession();

  @Test
  void aLocalSessionWithSparksDefaultIsCopiedWithFewerShufflePartitions() {
    caller.conf().unset(SHUFFLE_PARTITIONS);
    caller.conf().set("spark.sql.session.timeZone", "Asia/Tokyo");
    caller.range(3).toDF("id").createOrReplaceTempView("planned_ids");
    Dataset<Row> prompts = caller.table("planned_ids");

    PlanningSession planning = PlanningSession.of(caller, Optional.of(prompts));

    assertThat(planning.spark()).isNotSameAs(caller);
    assertThat(planning.spark().conf().get(SHUFFLE_PARTITIONS)).isEqualTo("8");
    assertThat(planning.spark().conf().get("spark.sql.session.timeZone")).isEqualTo("Asia/Tokyo");
    assertThat(caller.conf().get(SHUFFLE_PARTITIONS)).isEqualTo("200");
    Dataset<Row> copied = planning.prompts().orElseThrow();
    assertThat(copied.sparkSession()).isSameAs(planning.spark());
    assertThat(copied.orderBy("id").collectAsList()).hasToString("[[0], [1], [2]]");
  }

  @Test
  void queriesOfSmallTablesAreNotCompiled() {
    caller.conf().unset("spark.sql.codegen.wholeStage");
    caller.conf().unset("spark.sql.codegen.factoryMode");

    SparkSession planning = PlanningSession.of(caller, Optional.empty()).spark();

    assertThat(planning.conf().get("spark.sql.codegen.wholeStage")).isEqualTo("false");
    assertThat(planning.conf().get("spark.sql.codegen.factoryMode")).isEqualTo("NO_CODEGEN");
    assertThat(caller.conf().get("spark.sql.codegen.wholeStage")).isEqualTo("true");
  }

  @Test
  void settingsOfTheCallerAreKept() {
    caller.conf().set(SHUFFLE_PARTITIONS, 200);
    caller.conf().set("spark.sql.codegen.wholeStage", true);

    SparkSession planning = PlanningSession.of(caller, Optional.empty()).spark();

    assertThat(planning.conf().get(SHUFFLE_PARTITIONS)).isEqualTo("200");
    assertThat(planning.conf().get("spark.sql.codegen.wholeStage")).isEqualTo("true");
  }

  @Test
  void whatTheExecutorsOfAClusterLackIsNamed() {
    SparkConf conf = new SparkConf(false).set("spark.executorEnv.OMP_WAIT_POLICY", "ACTIVE");
    assertThat(SessionSettings.missing(conf)).isEqualTo("spark.executorEnv.THP_MEM_ALLOC_ENABLE=1");
    SessionSettings.EXECUTORS.forEach(conf::setIfMissing);
    assertThat(SessionSettings.missing(conf)).isEmpty();
  }
}
