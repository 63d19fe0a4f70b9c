package io.lightmill.udfs.plan;

import io.lightmill.udfs.rows.MappedPartitions;
import java.util.Iterator;
import org.apache.commons.collections4.IteratorUtils;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.CatalystTypeConverters;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.types.StructType;
import scala.Function1;

/**
 * Applies a function to the partitions of a Dataset, as {@link Dataset#mapPartitions} does, whose
 * tasks compile code for the schema of the rows in any case: for a small table that takes longer
 * than its rows.
 *
 * @param schema of the rows that come out
 */
public record RowFunction(MapPartitionsFunction<Row, Row> function, StructType schema) {

  /** The rows that the function makes, computed when they are needed. */
  public Dataset<Row> of(Dataset<Row> rows) {
    RDD<InternalRow> results =
        MappedPartitions.of(
            ((org.apache.spark.sql.classic.Dataset<Row>) rows).queryExecution().toRdd(),
            new Partition(function, rows.schema(), schema));
    return ((SparkSession) rows.sparkSession()).internalCreateDataFrame(results, schema, false);
  }

  private record Partition(
      MapPartitionsFunction<Row, Row> function, StructType before, StructType after)
      implements FlatMapFunction<Iterator<InternalRow>, InternalRow> {

    @Override
    public Iterator<InternalRow> call(Iterator<InternalRow> rows) throws Exception {
      Function1<Object, Object> read = CatalystTypeConverters.createToScalaConverter(before);
      Function1<Object, Object> written = CatalystTypeConverters.createToCatalystConverter(after);
      Iterator<Row> results =
          function.call(IteratorUtils.transformedIterator(rows, row -> (Row) read.apply(row)));
      return IteratorUtils.transformedIterator(results, row -> (InternalRow) written.apply(row));
    }
  }
}
