package io.lightmill.udfs.sql;

import io.lightmill.udfs.RunListener;
import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.run.GenerationRun;
import io.lightmill.udfs.run.PromptSchema;
import io.lightmill.udfs.run.RunResult;
import java.util.Optional;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SQLContext;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.sources.BaseRelation;
import org.apache.spark.sql.sources.TableScan;
import org.apache.spark.sql.types.StructType;

/**
 * The manifest of a run that is executed when the rows are needed: neither analysis nor planning
 * start it, and it is executed once however often the rows are read.
 */
final class RunRelation extends BaseRelation implements TableScan {

  private final SparkSession spark;
  private final Dataset<Row> prompts;
  private final GenerationOptions options;
  private final StructType schema;
  private RDD<Row> manifest;

  /**
   * @throws io.lightmill.pipeline.LightmillException where the columns of the prompts do not fit
   */
  RunRelation(SparkSession spark, Dataset<Row> prompts, GenerationOptions options) {
    this.spark = spark;
    this.prompts = prompts;
    this.options = options;
    this.schema = Manifest.schema(PromptSchema.passthrough(spark, prompts, options));
  }

  @Override
  public SQLContext sqlContext() {
    return spark.sqlContext();
  }

  @Override
  public StructType schema() {
    return schema;
  }

  @Override
  public RDD<Row> buildScan() {
    return new DeferredRows(spark.sparkContext(), this::executed);
  }

  private synchronized RDD<Row> executed() {
    if (manifest == null) {
      RunResult result =
          GenerationRun.execute(spark, Optional.of(prompts), options, new RunListener() {});
      manifest = result.manifest().javaRDD().rdd();
    }
    return manifest;
  }
}
