package io.lightmill.udfs.run;

import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.table.PromptRows;
import io.lightmill.udfs.table.RequestRows;
import java.util.Optional;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;

/** The table that the options of a run describe, before the run. */
public final class PromptSchema {

  private PromptSchema() {}

  /**
   * The columns of a table that its manifest repeats.
   *
   * @throws io.lightmill.pipeline.LightmillException if the columns do not fit
   */
  public static StructType passthrough(
      SparkSession spark, Dataset<Row> prompts, GenerationOptions options) {
    PromptRows table = open(spark, Optional.of(prompts), options);
    return RequestRows.passthrough(RequestRows.of(table.rows(), table.columns()).schema());
  }

  static PromptRows open(
      SparkSession spark, Optional<Dataset<Row>> prompts, GenerationOptions options) {
    return PromptRows.open(spark, PreparedRun.input(prompts, options), Manifest.reserved());
  }
}
