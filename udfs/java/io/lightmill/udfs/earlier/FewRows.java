package io.lightmill.udfs.earlier;

import io.lightmill.udfs.rows.MappedPartitions;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.commons.collections4.IteratorUtils;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.unsafe.types.UTF8String;
import scala.reflect.ClassTag$;

/**
 * Takes the few rows that have one of some texts in a column, without a shuffle. Plain code, since
 * Spark converts each text for a user-defined function.
 *
 * @param texts by index of the column
 */
record FewRows(Broadcast<Map<Integer, Set<UTF8String>>> texts)
    implements FlatMapFunction<Iterator<InternalRow>, InternalRow> {

  /** A set for {@link #of} and for tasks. */
  static Set<UTF8String> set(Collection<String> texts) {
    return texts.stream()
        .map(UTF8String::fromString)
        .collect(Collectors.toCollection(HashSet::new));
  }

  /** Sends a value to all tasks. */
  static <T> Broadcast<T> broadcast(SparkContext spark, T value) {
    return spark.broadcast(value, ClassTag$.MODULE$.apply(value.getClass()));
  }

  /**
   * The rows that have one of the texts of a column in that column.
   *
   * @param texts by column
   */
  static Dataset<Row> of(Dataset<Row> rows, Map<String, Set<UTF8String>> texts) {
    Map<Integer, Set<UTF8String>> byIndex = new HashMap<>();
    texts.forEach((name, set) -> byIndex.put(rows.schema().fieldIndex(name), set));
    SparkSession spark = (SparkSession) rows.sparkSession();
    return spark.internalCreateDataFrame(
        MappedPartitions.of(
            ((org.apache.spark.sql.classic.Dataset<Row>) rows).queryExecution().toRdd(),
            new FewRows(broadcast(spark.sparkContext(), byIndex))),
        rows.schema(),
        false);
  }

  @Override
  public Iterator<InternalRow> call(Iterator<InternalRow> rows) {
    List<Map.Entry<Integer, Set<UTF8String>>> columns = List.copyOf(texts.value().entrySet());
    return IteratorUtils.filteredIterator(
        rows,
        row -> {
          for (Map.Entry<Integer, Set<UTF8String>> column : columns) {
            int index = column.getKey();
            if (!row.isNullAt(index) && column.getValue().contains(row.getUTF8String(index))) {
              return true;
            }
          }
          return false;
        });
  }
}
