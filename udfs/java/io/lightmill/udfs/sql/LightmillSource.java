package io.lightmill.udfs.sql;

import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SQLContext;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.catalyst.util.CaseInsensitiveMap;
import org.apache.spark.sql.sources.BaseRelation;
import org.apache.spark.sql.sources.CreatableRelationProvider;
import org.apache.spark.sql.sources.DataSourceRegister;
import org.apache.spark.sql.sources.RelationProvider;
import scala.collection.immutable.Map;
import scala.jdk.javaapi.CollectionConverters;

/**
 * The data source {@code lightmill}. {@code spark.read.format("lightmill").load(output)} reads the
 * current state of an output, as {@link OutputRows} defines it, at the time of the call. Options:
 *
 * <ul>
 *   <li>{@code run-id}: the rows of this run alone
 *   <li>{@code all-runs}: {@code true} for every row of every committed run
 *   <li>{@code image-bytes}: {@code true} for a column {@code image} with the bytes of the images
 * </ul>
 *
 * <p>{@code df.write.format("lightmill").mode(…).save(output)} draws the images of a prompt table;
 * its options are those of a run ({@link io.lightmill.udfs.option.OptionRegistry}), and {@link
 * WrittenOutput} says what the modes mean and when a write fails.
 */
public final class LightmillSource
    implements RelationProvider, CreatableRelationProvider, DataSourceRegister {

  @Override
  public String shortName() {
    return "lightmill";
  }

  @Override
  public BaseRelation createRelation(SQLContext context, Map<String, String> parameters) {
    return new OutputRelation(context, ReadOptions.of(asWritten(parameters)));
  }

  @Override
  public BaseRelation createRelation(
      SQLContext context, SaveMode mode, Map<String, String> parameters, Dataset<Row> data) {
    String output = WrittenOutput.write(context.sparkSession(), mode, asWritten(parameters), data);
    return new OutputRelation(context, ReadOptions.of(java.util.Map.of("path", output)));
  }

  /** The options with their keys as written: the case of {@code lora.Brand} matters. */
  private static java.util.Map<String, String> asWritten(Map<String, String> parameters) {
    return CollectionConverters.asJava(
        parameters instanceof CaseInsensitiveMap<String> lowerCase
            ? lowerCase.originalMap()
            : parameters);
  }
}
