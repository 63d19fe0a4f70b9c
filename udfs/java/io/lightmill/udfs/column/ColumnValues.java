package io.lightmill.udfs.column;

import java.io.Serializable;
import java.util.HashMap;
import java.util.Map;

/** One value for each request column; null where the row has none, or none that can be read. */
public final class ColumnValues implements Serializable {

  private static final long serialVersionUID = 1L;

  /** Of a row of which nothing can be read. */
  public static final ColumnValues NONE = new ColumnValues(Map.of());

  private final Map<String, Object> byName;

  private ColumnValues(Map<String, Object> byName) {
    this.byName = byName;
  }

  /** Reads one column after the other. */
  @FunctionalInterface
  public interface Reading {
    <T> T value(RequestColumn<T> column);
  }

  /** The values of all columns, read in the order of {@link RequestColumns#ALL}. */
  public static ColumnValues read(Reading reading) {
    Map<String, Object> byName = new HashMap<>();
    RequestColumns.ALL.forEach(column -> byName.put(column.name(), reading.value(column)));
    return new ColumnValues(byName);
  }

  /** The value of a column, or null. */
  @SuppressWarnings("unchecked") // read() stores the type of the column
  public <T> T of(RequestColumn<T> column) {
    return (T) byName.get(column.name());
  }
}
