package io.lightmill.udfs.table;

import io.lightmill.udfs.column.ColumnTemplate;
import io.lightmill.udfs.column.RequestColumn;
import io.lightmill.udfs.column.RequestColumns;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.expressions.GenericRowWithSchema;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import scala.jdk.javaapi.CollectionConverters;

/** One row of a table of texts in the form of {@link RequestRows}, made without a Spark session. */
public final class TextRow {

  private static final StructType REQUESTED =
      new StructType(
          RequestColumns.ALL.stream()
              .map(column -> DataTypes.createStructField(column.name(), DataTypes.StringType, true))
              .toArray(StructField[]::new));

  private static final StructType SCHEMA =
      new StructType()
          .add(RequestRows.PASSTHROUGH, new StructType())
          .add(RequestRows.ID, DataTypes.StringType)
          .add(RequestRows.OCCURRENCE, DataTypes.IntegerType)
          .add(RequestRows.REQUESTED, REQUESTED)
          .add(RequestRows.PLACEHOLDERS, DataTypes.createArrayType(DataTypes.StringType))
          .add(RequestRows.CORRUPT, DataTypes.StringType);

  private TextRow() {}

  /**
   * The row.
   *
   * @param id of the row
   * @param cells by the names of request columns, and of any other columns
   * @param template whose placeholders name cells, case aside
   */
  public static Row of(String id, Map<String, String> cells, Optional<ColumnTemplate> template) {
    Object[] requested =
        RequestColumns.ALL.stream().map(column -> cells.get(column.name())).toArray();
    List<String> placeholders =
        template.map(ColumnTemplate::columns).orElse(List.of()).stream()
            .map(name -> cell(cells, name))
            .toList();
    Object[] values = {
      new GenericRowWithSchema(new Object[0], new StructType()),
      id,
      1,
      new GenericRowWithSchema(requested, REQUESTED),
      CollectionConverters.asScala(placeholders).toSeq(),
      null
    };
    return new GenericRowWithSchema(values, SCHEMA);
  }

  private static String cell(Map<String, String> cells, String name) {
    return cells.entrySet().stream()
        .filter(cell -> cell.getKey().equalsIgnoreCase(name.strip()))
        .findFirst()
        .map(Map.Entry::getValue)
        .orElse(null);
  }

  /** The request column that a column of a table stands for, as tables are read. */
  public static Optional<RequestColumn<?>> requestColumn(String name) {
    String plain = plain(name);
    return RequestColumns.ALL.stream()
        .filter(
            column ->
                plain(column.name()).equals(plain)
                    || column.otherNames().stream().anyMatch(other -> plain(other).equals(plain)))
        .findFirst();
  }

  /** A name without what does not matter in it: case and separators. */
  private static String plain(String name) {
    return String.join("", Arrays.asList(name.strip().toLowerCase(Locale.ROOT).split("[ _.-]+")));
  }
}
