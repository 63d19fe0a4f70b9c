package io.lightmill.udfs.column;

import static org.apache.spark.sql.functions.col;

import java.util.Arrays;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.catalyst.util.QuotingUtils;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.MetadataBuilder;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * Marks columns that are text because their format has no types, as CSV. Their values decide the
 * type that they have in the manifest.
 */
public final class UntypedText {

  private static final String KEY = "lightmill.untyped";

  private UntypedText() {}

  /** The same field with the mark. */
  public static StructField marked(StructField field) {
    return new StructField(field.name(), field.dataType(), field.nullable(), mark(field, true));
  }

  /** Whether a field has the mark. */
  public static boolean isMarked(StructField field) {
    return field.metadata().contains(KEY);
  }

  /** The same field with its type and without the mark. */
  public static StructField typed(StructField field, DataType type) {
    return new StructField(field.name(), type, field.nullable(), mark(field, false));
  }

  private static Metadata mark(StructField field, boolean marked) {
    MetadataBuilder metadata = new MetadataBuilder().withMetadata(field.metadata());
    return marked ? metadata.putBoolean(KEY, true).build() : metadata.remove(KEY).build();
  }

  /** Columns of a table, by their names, in the types of a schema. */
  public static Column[] cast(StructType typed) {
    return Arrays.stream(typed.fields())
        .map(
            field ->
                col(QuotingUtils.quoteIdentifier(field.name()))
                    .cast(field.dataType())
                    .as(field.name(), field.metadata()))
        .toArray(Column[]::new);
  }
}
