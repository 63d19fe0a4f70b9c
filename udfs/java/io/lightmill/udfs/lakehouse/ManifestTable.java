package io.lightmill.udfs.lakehouse;

import static org.apache.spark.sql.functions.col;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.option.LakeFormat;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.CreateTableWriter;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.util.QuotingUtils;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * A Delta or Iceberg table with the current state of one output. {@link #merge} brings it up to
 * date, whatever state it is in, in one commit: so a merge that failed is repeated by the next one,
 * and merging twice changes nothing.
 *
 * @param output URI of the output, which is a property of the table: rows of two outputs may have
 *     the same ids
 * @param format of a table that is created
 */
public record ManifestTable(
    SparkSession spark, TableName name, String output, Optional<LakeFormat> format) {

  /** Property of the table: the output that it describes. */
  static final String OUTPUT = "lightmill.output";

  private static final String COLUMN_MAPPING = "delta.columnMapping.mode";
  private static final Pattern UNUSUAL = Pattern.compile("[ ,;{}()\n\t=]");
  private static final List<String> KEYS =
      List.of(ManifestColumns.ID.name(), ManifestColumns.VARIANT.name());

  /** Columns that differ wherever a row has changed. */
  private static final List<String> CHANGING =
      List.of(
          ManifestColumns.RUN_ID.name(),
          ManifestColumns.CREATED_AT.name(),
          ManifestColumns.PATH_URI.name());

  /**
   * Checks that the table can be merged into or created. Changes nothing.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID} if a library, a catalogue or a
   *     namespace is missing, or the table has another format or belongs to another output
   */
  public void require() {
    Optional<Table> table = name.load(spark);
    if (table.isEmpty()) {
      name.requireNamespace(spark);
      formatToCreate();
      return;
    }
    String provider = table.get().properties().getOrDefault("provider", "unknown");
    if (Arrays.stream(LakeFormat.values()).noneMatch(it -> it.label().equals(provider))) {
      throw invalid(
          "manifest table '%s' has the format '%s', which cannot merge rows; give a Delta or Iceberg table, or a name that does not exist"
              .formatted(name, provider));
    }
    String described = table.get().properties().get(OUTPUT);
    if (described != null && !described.equals(output)) {
      throw invalid(
          "manifest table '%s' describes the output '%s', and this run writes to '%s', whose rows may have the same ids; give each output a table of its own, or, if the output was moved, run ALTER TABLE %1$s SET TBLPROPERTIES ('%s'='%3$s')"
              .formatted(name, described, output, OUTPUT));
    }
  }

  private LakeFormat formatToCreate() {
    LakeFormat chosen =
        format
            .or(() -> name.catalogFormat(spark))
            .orElseThrow(
                () ->
                    invalid(
                        "manifest table '%s' does not exist, and its catalogue does not say the format of new tables; set manifest-table-format to delta or iceberg"
                            .formatted(name)));
    chosen.require(name.toString());
    if (name.catalogFormat(spark).isEmpty()) {
      throw invalid(
          "the catalogue of manifest table '%s' has no %s tables; set %s"
              .formatted(name, chosen.label(), chosen.settings()));
    }
    return chosen;
  }

  /**
   * Merges the current state.
   *
   * @param state one row for each requested image of the output
   */
  public void merge(Dataset<Row> state) {
    require();
    Dataset<Row> rows = plain(state);
    Optional<Table> existing = name.load(spark);
    if (existing.isEmpty()) {
      create(rows);
    } else {
      addColumns(rows.schema(), existing.get());
    }
    String view = "lightmill_state_" + UUID.randomUUID().toString().replace("-", "");
    rows.createOrReplaceTempView(view);
    try {
      spark.sql(statement(view, rows.schema())).collectAsList();
    } finally {
      spark.catalog().dropTempView(view);
    }
  }

  /** Without the metadata of fields, which the table would keep. */
  private static Dataset<Row> plain(Dataset<Row> state) {
    return state.select(
        Stream.of(state.columns())
            .map(name -> col(quoted(name)).as(name, Metadata.empty()))
            .toArray(Column[]::new));
  }

  private void create(Dataset<Row> rows) {
    LakeFormat chosen = formatToCreate();
    CreateTableWriter<Row> table =
        rows.limit(0)
            .writeTo(name.quoted())
            .using(chosen.label())
            .tableProperty(OUTPUT, output)
            .tableProperty("comment", "Images that Lightmill has generated");
    boolean mapped = chosen == LakeFormat.DELTA && unusual(rows.schema());
    try {
      (mapped ? table.tableProperty(COLUMN_MAPPING, "name") : table).create();
    } catch (Exception e) { // Spark throws checked exceptions that Scala does not declare
      throw failed("cannot be created", e);
    }
  }

  private void addColumns(StructType state, Table existing) {
    Map<String, StructField> present =
        Arrays.stream(existing.columns())
            .map(
                column -> new StructField(column.name(), column.dataType(), true, Metadata.empty()))
            .collect(Collectors.toMap(field -> folded(field.name()), field -> field));
    StructType missing =
        new StructType(
            Arrays.stream(state.fields())
                .filter(field -> !present.containsKey(folded(field.name())))
                .toArray(StructField[]::new));
    boolean delta = LakeFormat.DELTA.label().equals(existing.properties().get("provider"));
    try {
      if (delta && unusual(missing)) {
        set(COLUMN_MAPPING, "name");
      }
      if (!missing.isEmpty()) {
        spark.sql(
            "ALTER TABLE %s ADD COLUMNS (%s)"
                .formatted(
                    name.quoted(),
                    Arrays.stream(missing.fields())
                        .map(field -> quoted(field.name()) + " " + field.dataType().sql())
                        .collect(Collectors.joining(", "))));
      }
      if (!output.equals(existing.properties().get(OUTPUT))) {
        set(OUTPUT, output);
      }
    } catch (Exception e) { // Spark throws checked exceptions that Scala does not declare
      throw failed("cannot get the columns of the manifest", e);
    }
    for (StructField field : state.fields()) {
      StructField old = present.get(folded(field.name()));
      if (old != null && !ColumnChange.fits(field.dataType(), old.dataType())) {
        if (delta) {
          set("delta.enableTypeWidening", "true");
        }
        new ColumnChange(spark, name, old, field.dataType()).apply();
      }
    }
  }

  private void set(String property, String value) {
    spark.sql(
        "ALTER TABLE %s SET TBLPROPERTIES ('%s'='%s')"
            .formatted(name.quoted(), property, value.replace("'", "\\'")));
  }

  /** Whether a Delta table can have columns of these names only with a mapping of columns. */
  private static boolean unusual(StructType schema) {
    return Arrays.stream(schema.fieldNames()).anyMatch(UNUSUAL.asPredicate());
  }

  /**
   * Rows without an id cannot be matched: those of the newest run take the place of all others, as
   * in the current state.
   */
  private String statement(String view, StructType state) {
    List<String> columns = Arrays.stream(state.fieldNames()).map(ManifestTable::quoted).toList();
    return """
    MERGE INTO %s AS t USING %s AS s
    ON %s
    WHEN MATCHED AND NOT (%s) THEN UPDATE SET %s
    WHEN NOT MATCHED THEN INSERT (%s) VALUES (%s)
    WHEN NOT MATCHED BY SOURCE AND t.`id` IS NULL THEN DELETE
    """
        .formatted(
            name.quoted(),
            view,
            KEYS.stream()
                .map(key -> "t.%s = s.%1$s".formatted(quoted(key)))
                .collect(Collectors.joining(" AND ")),
            CHANGING.stream()
                .map(column -> "t.%s <=> s.%1$s".formatted(quoted(column)))
                .collect(Collectors.joining(" AND ")),
            columns.stream()
                .map(column -> "t.%s = s.%1$s".formatted(column))
                .collect(Collectors.joining(", ")),
            String.join(", ", columns),
            columns.stream().map("s."::concat).collect(Collectors.joining(", ")));
  }

  private LightmillException failed(String what, Exception cause) {
    return new LightmillException(
        ErrorCode.STORE_FAILED,
        "manifest table '%s' %s: %s".formatted(name, what, TableName.firstLine(cause)),
        cause);
  }

  private static String folded(String name) {
    return name.toLowerCase(Locale.ROOT);
  }

  private static String quoted(String name) {
    return QuotingUtils.quoteIdentifier(name);
  }

  private static LightmillException invalid(String message) {
    return new LightmillException(ErrorCode.CONFIGURATION_INVALID, message);
  }
}
