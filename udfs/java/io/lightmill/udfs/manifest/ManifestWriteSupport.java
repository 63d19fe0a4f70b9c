package io.lightmill.udfs.manifest;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.schema.LogicalTypeAnnotation.IntLogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type;
import org.apache.spark.sql.execution.datasources.parquet.ParquetWriteSupport;

/**
 * Adds entries to the footer that Spark writes. {@value #PANDAS} names pandas' nullable types for
 * the columns of integers and booleans: otherwise pandas makes a column with a missing integer a
 * column of floats. The entry has the format of pandas' developer guide, "Storing pandas DataFrame
 * objects in Apache Parquet format"; other readers ignore it.
 */
public final class ManifestWriteSupport extends ParquetWriteSupport {

  /** When the manifest was committed, where that is not the modification time of the file. */
  public static final String COMMITTED = "lightmill.committed";

  /** Fingerprint of everything that the plan of the run depended on besides the rows. */
  public static final String PLAN = "lightmill.plan";

  static final String PANDAS = "pandas";

  @Override
  public WriteContext init(Configuration configuration) {
    WriteContext spark = super.init(configuration);
    Map<String, String> entries = new HashMap<>(spark.getExtraMetaData());
    entries.put(PANDAS, pandas(spark.getSchema()));
    entries.putAll(configuration.getPropsWithPrefix(ManifestFormat.FOOTER));
    return new WriteContext(spark.getSchema(), entries);
  }

  static String pandas(MessageType schema) {
    JsonNodeFactory json = JsonNodeFactory.instance;
    ArrayNode columns = json.arrayNode();
    for (Type field : schema.getFields()) {
      nullableType(field)
          .ifPresent(
              type ->
                  columns
                      .addObject()
                      .put("name", field.getName())
                      .put("field_name", field.getName())
                      .put(
                          "pandas_type",
                          type.equals("boolean") ? "bool" : type.toLowerCase(Locale.ROOT))
                      .put("numpy_type", type)
                      .putNull("metadata"));
    }
    ObjectNode entry = json.objectNode();
    entry.set("index_columns", json.arrayNode());
    entry.set("column_indexes", json.arrayNode());
    entry.set("columns", columns);
    entry.set("creator", json.objectNode().put("library", "lightmill").put("version", "1"));
    return entry.put("pandas_version", "1.0.0").toString();
  }

  private static Optional<String> nullableType(Type field) {
    if (!field.isPrimitive() || field.isRepetition(Type.Repetition.REPEATED)) {
      return Optional.empty();
    }
    PrimitiveTypeName stored = field.asPrimitiveType().getPrimitiveTypeName();
    if (stored == PrimitiveTypeName.BOOLEAN) {
      return Optional.of("boolean");
    }
    if (stored != PrimitiveTypeName.INT32 && stored != PrimitiveTypeName.INT64) {
      return Optional.empty();
    }
    if (field.getLogicalTypeAnnotation() == null) {
      return Optional.of(stored == PrimitiveTypeName.INT32 ? "Int32" : "Int64");
    }
    return field.getLogicalTypeAnnotation() instanceof IntLogicalTypeAnnotation number
        ? Optional.of("Int" + number.getBitWidth())
        : Optional.empty(); // a date, time or decimal
  }
}
