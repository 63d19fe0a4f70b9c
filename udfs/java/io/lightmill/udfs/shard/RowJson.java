package io.lightmill.udfs.shard;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.sql.Timestamp;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Rows as JSON objects, identical on every host: times are ISO-8601 in UTC, whatever the time zone.
 */
public final class RowJson {

  private static final JsonMapper JSON =
      JsonMapper.builder().enable(StreamWriteFeature.WRITE_BIGDECIMAL_AS_PLAIN).build();

  private RowJson() {}

  /**
   * Some columns of a row.
   *
   * @param columns by their indices
   */
  static String of(StructType schema, Row row, List<Integer> columns) {
    try {
      return JSON.writeValueAsString(object(schema, row, columns));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("plain values can always be written as JSON", e);
    }
  }

  /** Some columns of a row, by their names; null values are kept. */
  public static Map<String, Object> object(StructType schema, Row row, List<Integer> columns) {
    Map<String, Object> object = new LinkedHashMap<>();
    columns.forEach(i -> object.put(schema.apply(i).name(), plain(row.get(i))));
    return object;
  }

  /** A value that JSON supports, or the text of any other value. */
  private static Object plain(Object value) {
    if (value == null
        || value instanceof Number
        || value instanceof Boolean
        || value instanceof String
        || value instanceof byte[]) {
      return value;
    }
    if (value instanceof Timestamp timestamp) {
      return timestamp.toInstant().toString();
    }
    if (value instanceof Row row) {
      return object(row.schema(), row, IntStream.range(0, row.length()).boxed().toList());
    }
    if (value instanceof scala.collection.Seq<?> list) {
      List<Object> plain = new ArrayList<>();
      CollectionConverters.asJava(list).forEach(each -> plain.add(plain(each)));
      return plain;
    }
    if (value instanceof scala.collection.Map<?, ?> map) {
      Map<String, Object> plain = new TreeMap<>();
      CollectionConverters.asJava(map)
          .forEach((key, each) -> plain.put(String.valueOf(plain(key)), plain(each)));
      return plain;
    }
    return value.toString();
  }
}
