package io.lightmill.udfs.manifest;

import io.lightmill.udfs.column.UntypedText;
import java.util.Arrays;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * The types of passthrough columns that are {@link UntypedText}. If all values of a column are
 * whole numbers, its type is long; if all are decimals, double; else it stays text. Numbers with
 * leading zeros, a plus, an exponent or more digits than their type holds are text. If the newest
 * earlier run over the output has a wider type, the column has that type, so that the manifests of
 * a growing table are alike.
 *
 * @param passthrough of the manifest, as the table has it
 * @param earlier schema of the manifest of the newest earlier run; empty if there is none
 */
record NumberColumns(StructType passthrough, StructType earlier) {

  /** The passthrough columns with the types that their values have. */
  StructType typed(NumberValues values) {
    StructField[] fields = passthrough.fields().clone();
    for (int i = 0; i < fields.length; i++) {
      if (UntypedText.isMarked(fields[i])) {
        fields[i] = UntypedText.typed(fields[i], wider(fields[i].name(), values.type(i)));
      }
    }
    return new StructType(fields);
  }

  private DataType wider(String name, DataType type) {
    return Arrays.stream(earlier.fields())
        .filter(field -> field.name().equalsIgnoreCase(name))
        .map(StructField::dataType)
        .filter(
            before ->
                before.equals(DataTypes.StringType)
                    || (before.equals(DataTypes.DoubleType) && type.equals(DataTypes.LongType)))
        .findFirst()
        .orElse(type);
  }
}
