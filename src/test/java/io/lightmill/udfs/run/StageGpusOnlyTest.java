package io.lightmill.udfs.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.TestSpark;
import io.lightmill.udfs.device.Cluster;
import io.lightmill.udfs.option.GenerationOptions;
import java.time.Instant;
import java.util.Map;
import org.apache.spark.SparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;

/** Images without an output on a cluster where only the generating stage requests GPUs. */
class StageGpusOnlyTest {

  private final SparkSession spark = TestSpark.session();
  private final GenerationOptions options =
      GenerationOptions.parse(Map.of("checkpoint", "builtin:pocket", "dtype", "float32"));

  private RunHooks hooks() {
    RunHooks local = RunHooks.of(spark, options, Instant.now());
    Cluster cluster = new Cluster(true, 2, false, 0, 1);
    return new RunHooks(local.started(), local.clock(), cluster, local.checkpoint());
  }

  @Test
  void aFunctionOfAnyStageIsRefused() {
    assertThatThrownBy(() -> OneImage.of(spark, options, hooks()))
        .isInstanceOfSatisfying(
            LightmillException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.CONFIGURATION_INVALID))
        .hasMessageContaining("spark.task.resource.gpu.amount")
        .hasMessageContaining("generate_images");
  }

  @Test
  void describingTheImagesOfATableRunsNoJob() {
    Dataset<Row> prompts = spark.range(3).selectExpr("string(id) AS id", "'a mug' AS prompt");
    SparkContext context = spark.sparkContext();
    context.setJobGroup("describe only", "", false);
    try {
      UnstoredImages images = UnstoredImages.of(spark, prompts, options, hooks());

      assertThat(images.schema().fieldNames()).contains("id", "status", "image");
      assertThat(context.statusTracker().getJobIdsForGroup("describe only")).isEmpty();
    } finally {
      context.clearJobGroup();
    }
  }
}
