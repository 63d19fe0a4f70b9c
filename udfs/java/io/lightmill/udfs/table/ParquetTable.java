package io.lightmill.udfs.table;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.commons.lang3.Strings;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.HadoopReadOptions;
import org.apache.parquet.format.converter.ParquetMetadataConverter;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.FileMetaData;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.Type;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.DataFrameReader;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.execution.datasources.parquet.ParquetToSparkSchemaConverter;
import org.apache.spark.sql.internal.SQLConf;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.types.TimeType;
import io.lightmill.udfs.store.SharedConfiguration;

/**
 * Parquet files as a table of all columns that some file has and Spark can read. Spark itself
 * refuses a file for a single column of a type that it does not know, such as a time in
 * nanoseconds, and takes the columns from one file alone.
 */
final class ParquetTable {

  private static final String SPARK_SCHEMA = "org.apache.spark.sql.parquet.row.metadata";

  /** The driver reads the footers of a few files itself. */
  private static final int FEW_FILES = 8;

  private static final int TASKS = 64;

  private static final List<DataType> WHOLE =
      List.of(DataTypes.ByteType, DataTypes.ShortType, DataTypes.IntegerType, DataTypes.LongType);
  private static final List<DataType> FRACTIONS =
      List.of(DataTypes.FloatType, DataTypes.DoubleType);

  /** The settings of Spark that decide which type a column has. */
  private static final List<String> SETTINGS =
      List.of(
          "spark.sql.parquet.binaryAsString",
          "spark.sql.parquet.int96AsTimestamp",
          "spark.sql.caseSensitive",
          "spark.sql.parquet.inferTimestampNTZ.enabled",
          "spark.sql.legacy.parquet.nanosAsLong",
          "spark.sql.parquet.fieldId.read.enabled",
          "spark.sql.parquet.ignoreVariantAnnotation");

  /**
   * A column of a file.
   *
   * @param type of Spark as JSON; null if Spark cannot read the column
   * @param stored type in the file, for messages
   */
  private record Field(String name, String type, String stored) implements Serializable {}

  /** The columns of a file. */
  private record Footer(List<Field> fields, String file) implements Serializable {}

  private ParquetTable() {}

  static PromptTable open(SparkSession spark, String location, TableFiles files) {
    List<PromptTable.UnreadColumn> unread = new ArrayList<>();
    StructType schema = merged(footers(spark, files.files()), unread);
    for (String partition : files.partitionColumns()) {
      schema = without(schema, partition).add(partition, DataTypes.StringType);
    }
    PromptTable.checkNames(location, schema.fieldNames());
    refuseSkipped(files);
    String[] roots = files.roots().stream().map(Path::toString).toArray(String[]::new);
    boolean named =
        files.files().stream()
            .allMatch(
                f ->
                    TableFormat.ofName(f.path().getName())
                        .equals(Optional.of(TableFormat.PARQUET)));
    DataFrameReader reader =
        spark
            .read()
            .schema(schema)
            .option("__globPaths__", false); // names with brackets are found already
    if (files.partitionColumns().isEmpty()) {
      reader =
          reader.option("recursiveFileLookup", true); // else only the files of the top directory
    }
    if (files.files().stream().anyMatch(TableFile::hasColon)) {
      reader = reader.options(TableFile.RAW_LOCAL_FILES);
    }
    if (named) {
      reader = reader.option("pathGlobFilter", "*.[pP][aA][rR][qQ][uU][eE][tT]*");
    }
    return PromptTable.of(
        location,
        schema.isEmpty() ? spark.emptyDataFrame() : reader.parquet(roots),
        unread,
        List.of());
  }

  private static void refuseSkipped(TableFiles files) {
    for (Path root : files.roots()) {
      if (Strings.CS.startsWithAny(root.getName(), "_", ".")) {
        throw TableFile.invalid(
            "the name of '%s' starts with '%s', and Spark skips such files; rename it"
                .formatted(root, root.getName().charAt(0)),
            null);
      }
    }
  }

  private static StructType without(StructType schema, String name) {
    StructType others = new StructType();
    for (StructField field : schema.fields()) {
      others = field.name().equalsIgnoreCase(name) ? others : others.add(field);
    }
    return others;
  }

  /** The different footers. */
  private static List<Footer> footers(SparkSession spark, List<TableFile> files) {
    Configuration configured = FileRows.hadoop(spark);
    SQLConf settings = ((org.apache.spark.sql.classic.SparkSession) spark).sessionState().conf();
    SETTINGS.forEach(key -> configured.set(key, settings.getConfString(key)));
    if (files.size() <= FEW_FILES) {
      return distinct(files.stream().map(file -> footer(file, configured)).toList());
    }
    SharedConfiguration hadoop = new SharedConfiguration(configured);
    return distinct(
        JavaSparkContext.fromSparkContext(spark.sparkContext())
            .parallelize(files, Math.min(files.size(), TASKS))
            .mapPartitions(
                some -> {
                  List<Footer> footers = new ArrayList<>();
                  some.forEachRemaining(file -> footers.add(footer(file, hadoop.value())));
                  return distinct(footers).iterator();
                })
            .collect());
  }

  private static List<Footer> distinct(List<Footer> footers) {
    Map<List<Field>, Footer> distinct = new LinkedHashMap<>();
    footers.forEach(footer -> distinct.putIfAbsent(footer.fields(), footer));
    return new ArrayList<>(distinct.values());
  }

  private static Footer footer(TableFile file, Configuration hadoop) {
    try (ParquetFileReader reader =
        ParquetFileReader.open(
            HadoopInputFile.fromPath(file.path(), file.configured(hadoop)),
            HadoopReadOptions.builder(hadoop)
                .withMetadataFilter(ParquetMetadataConverter.SKIP_ROW_GROUPS)
                .build())) {
      FileMetaData meta = reader.getFileMetaData();
      StructType given = given(meta.getKeyValueMetaData().get(SPARK_SCHEMA));
      ParquetToSparkSchemaConverter converter = new ParquetToSparkSchemaConverter(hadoop);
      List<Field> fields = new ArrayList<>();
      for (Type field : meta.getSchema().getFields()) {
        String type = type(field, given, converter).map(DataType::json).orElse(null);
        fields.add(new Field(field.getName(), type, stored(field)));
      }
      return new Footer(fields, file.name());
    } catch (IOException | RuntimeException e) { // of a file that is no Parquet
      throw file.unreadable(e);
    }
  }

  /** The types that Spark wrote itself, some of which Parquet does not tell apart. */
  private static StructType given(String json) {
    try {
      return json == null ? new StructType() : (StructType) DataType.fromJson(json);
    } catch (RuntimeException e) { // of another release; the types of Parquet do
      return new StructType();
    }
  }

  private static Optional<DataType> type(
      Type field, StructType given, ParquetToSparkSchemaConverter converter) {
    for (StructField known : given.fields()) {
      if (known.name().equals(field.getName())) {
        return Optional.of(known.dataType().asNullable());
      }
    }
    try {
      StructType one = converter.convert(new MessageType("spark_schema", List.of(field)));
      DataType type = one.fields()[0].dataType().asNullable();
      return hasTime(type) ? Optional.empty() : Optional.of(type);
    } catch (Exception e) { // Spark throws checked exceptions that Scala does not declare
      return Optional.empty();
    }
  }

  /** Spark knows the type and refuses it. */
  private static boolean hasTime(DataType type) {
    if (type instanceof StructType struct) {
      return Arrays.stream(struct.fields()).anyMatch(field -> hasTime(field.dataType()));
    }
    if (type instanceof ArrayType array) {
      return hasTime(array.elementType());
    }
    return type instanceof TimeType
        || (type instanceof MapType map && (hasTime(map.keyType()) || hasTime(map.valueType())));
  }

  private static String stored(Type field) {
    if (!field.isPrimitive()) {
      return "a group with a part that Spark cannot read";
    }
    String logical =
        field.getLogicalTypeAnnotation() == null ? "" : " " + field.getLogicalTypeAnnotation();
    return field.asPrimitiveType().getPrimitiveTypeName() + logical;
  }

  /** The columns of all files that have one type, or types of which one holds the other. */
  private static StructType merged(List<Footer> footers, List<PromptTable.UnreadColumn> unread) {
    Map<String, DataType> types = new LinkedHashMap<>();
    Map<String, String> files = new LinkedHashMap<>();
    Map<String, String> reasons = new LinkedHashMap<>();
    for (Footer footer : footers) {
      for (Field field : footer.fields()) {
        if (field.type() == null) {
          reasons.putIfAbsent(
              field.name(),
              "Spark cannot read its type in '%s', %s".formatted(footer.file(), field.stored()));
          continue;
        }
        DataType type = DataType.fromJson(field.type());
        DataType known = types.putIfAbsent(field.name(), type);
        files.putIfAbsent(field.name(), footer.file());
        Optional<DataType> wider = known == null ? Optional.of(type) : wider(known, type);
        wider.ifPresent(both -> types.put(field.name(), both));
        if (wider.isEmpty()) {
          reasons.putIfAbsent(
              field.name(),
              "its type is %s in '%s' and %s in '%s'"
                  .formatted(
                      known.simpleString(),
                      files.get(field.name()),
                      type.simpleString(),
                      footer.file()));
        }
      }
    }
    reasons.forEach((name, reason) -> unread.add(new PromptTable.UnreadColumn(name, reason)));
    types.keySet().removeAll(reasons.keySet());
    StructType schema = new StructType();
    for (Map.Entry<String, DataType> column : types.entrySet()) {
      schema = schema.add(column.getKey(), column.getValue());
    }
    return schema;
  }

  private static Optional<DataType> wider(DataType one, DataType other) {
    if (one.equals(other)) {
      return Optional.of(one);
    }
    if (WHOLE.contains(one) && WHOLE.contains(other)) {
      return Optional.of(WHOLE.get(Math.max(WHOLE.indexOf(one), WHOLE.indexOf(other))));
    }
    return FRACTIONS.contains(one) && FRACTIONS.contains(other)
        ? Optional.of(DataTypes.DoubleType)
        : Optional.empty();
  }
}
