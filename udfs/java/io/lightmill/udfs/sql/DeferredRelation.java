package io.lightmill.udfs.sql;

import java.util.function.Supplier;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SQLContext;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.sources.BaseRelation;
import org.apache.spark.sql.sources.TableScan;
import org.apache.spark.sql.types.StructType;

/**
 * Rows of a DataFrame whose creation runs Spark jobs. It is created when a query needs the rows,
 * neither in analysis nor in planning, and only once however often the rows are read.
 */
final class DeferredRelation extends BaseRelation implements TableScan {

  private final SparkSession spark;
  private final StructType schema;
  private final Supplier<Dataset<Row>> making;
  private RDD<Row> rows;

  /**
   * @param making creates the DataFrame, which has the schema
   */
  DeferredRelation(SparkSession spark, StructType schema, Supplier<Dataset<Row>> making) {
    this.spark = spark;
    this.schema = schema;
    this.making = making;
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
    return new DeferredRows(spark.sparkContext(), this::made);
  }

  private synchronized RDD<Row> made() {
    if (rows == null) {
      rows = making.get().javaRDD().rdd();
    }
    return rows;
  }
}
