package io.lightmill.udfs.sql;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.run.UnstoredImages;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.FunctionTableSubqueryArgumentExpression;
import org.apache.spark.sql.catalyst.expressions.NamedArgumentExpression;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.classic.SparkSession;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;
import scala.runtime.AbstractFunction1;

/**
 * The table function {@code generate_images(TABLE(prompts), num_inference_steps => 8, output =>
 * 's3a://bucket/campaign')}. Its named arguments are the options of a run.
 *
 * <p>With an {@code output} it is a run: images and manifest are stored when the query is executed,
 * and the rows are those of the manifest. A query that is executed again reuses what is stored.
 *
 * <p>Without an output nothing is stored: the rows have the columns of a manifest and a column
 * {@code image} with the bytes. That is for small tables, of at most {@value
 * UnstoredImages#MOST_IMAGES} images; larger ones are refused when the query is executed.
 */
final class GenerateImagesFunction extends AbstractFunction1<Seq<Expression>, LogicalPlan> {

  static final String NAME = "generate_images";

  @Override
  public LogicalPlan apply(Seq<Expression> arguments) {
    SparkSession spark = SparkSession.active();
    SqlArguments options = new SqlArguments();
    Dataset<Row> prompts = null;
    for (Expression argument : CollectionConverters.asJava(arguments)) {
      Expression value =
          argument instanceof NamedArgumentExpression named ? named.value() : argument;
      if (value instanceof FunctionTableSubqueryArgumentExpression table && prompts == null) {
        prompts = org.apache.spark.sql.classic.Dataset.ofRows(spark, table.plan());
      } else if (argument instanceof NamedArgumentExpression named) {
        options.add(named);
      } else {
        throw invalid(
            "argument '%s' of %s has no name; write %s(TABLE(prompts), num_inference_steps => 8)"
                .formatted(argument.sql(), NAME, NAME));
      }
    }
    GenerationOptions parsed = options.parsed();
    if (prompts == null) {
      throw invalid("%s lacks its table; write %s(TABLE(prompts))".formatted(NAME, NAME));
    }
    Dataset<Row> rows =
        parsed.has(Options.OUTPUT_DIRECTORY)
            ? spark.baseRelationToDataFrame(new RunRelation(spark, prompts, parsed))
            : UnstoredImages.of(spark, prompts, parsed);
    return ((org.apache.spark.sql.classic.Dataset<Row>) rows).queryExecution().analyzed();
  }

  private static LightmillException invalid(String message) {
    return new LightmillException(ErrorCode.CONFIGURATION_INVALID, message);
  }
}
