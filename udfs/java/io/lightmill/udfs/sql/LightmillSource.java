package io.lightmill.udfs.sql;

import org.apache.spark.sql.SQLContext;
import org.apache.spark.sql.sources.BaseRelation;
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
 */
public final class LightmillSource implements RelationProvider, DataSourceRegister {

  @Override
  public String shortName() {
    return "lightmill";
  }

  @Override
  public BaseRelation createRelation(SQLContext context, Map<String, String> parameters) {
    return new OutputRelation(context, ReadOptions.of(CollectionConverters.asJava(parameters)));
  }
}
