package io.lightmill.udfs.ml;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructType;

/**
 * The columns that an {@link ImageGenerator} reads and adds.
 *
 * @param read columns of the prompt
 * @param composed whether a template composes the prompt, from columns of any type
 * @param added columns of the result, with their types
 */
record GeneratorColumns(List<String> read, boolean composed, Map<String, DataType> added) {

  /**
   * The schema with the added columns.
   *
   * @throws LightmillException with {@code INPUT_INVALID} if a column is missing, has another type,
   *     or has the name of an added one
   */
  StructType schema(StructType rows) {
    for (String column : read) {
      if (!has(rows, column)) {
        throw invalid(
            "the rows have no column '%s', which ImageGenerator reads; their columns are %s"
                .formatted(column, String.join(", ", rows.fieldNames())));
      }
    }
    if (!composed) {
      requireText(rows, read.get(0));
    }
    StructType result = rows;
    for (Map.Entry<String, DataType> column : added.entrySet()) {
      if (has(result, column.getKey())) {
        throw invalid(
            "the rows have a column '%s' already; give ImageGenerator another name with outputCol, imageIdCol, statusCol or errorCol"
                .formatted(column.getKey()));
      }
      result = result.add(column.getKey(), column.getValue());
    }
    return result;
  }

  private static boolean has(StructType rows, String column) {
    return Arrays.stream(rows.fieldNames()).anyMatch(column::equalsIgnoreCase);
  }

  private static void requireText(StructType rows, String column) {
    DataType type =
        Arrays.stream(rows.fields())
            .filter(field -> field.name().equalsIgnoreCase(column))
            .findFirst()
            .orElseThrow()
            .dataType();
    if (!(type instanceof StringType)) {
      throw invalid(
          "column '%s' is of type %s; param promptCol names a column of texts"
              .formatted(column, type.simpleString()));
    }
  }

  private static LightmillException invalid(String message) {
    return new LightmillException(ErrorCode.INPUT_INVALID, message);
  }
}
