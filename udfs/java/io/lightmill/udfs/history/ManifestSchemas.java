package io.lightmill.udfs.history;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;

import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.manifest.PathUri;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.analysis.TypeCoercion;
import org.apache.spark.sql.catalyst.util.QuotingUtils;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * One schema for the manifests of several runs. Passthrough columns are merged by name, ignoring
 * case. If their types differ, the merged type is one that holds all their values, such as double
 * for int and double; if there is none, string.
 *
 * @param pathUri the column {@link ManifestColumns#PATH_URI}, made from the output as it is now,
 *     since it may have been moved
 * @param runs newest first; the newest run decides the order and the case of names
 * @param merged passthrough columns, then the manifest's own
 */
record ManifestSchemas(Column pathUri, List<CommittedRun> runs, StructType merged) {

  static ManifestSchemas of(String output, List<CommittedRun> runs, Configuration hadoop) {
    Map<String, StructField> passthrough = new LinkedHashMap<>();
    for (CommittedRun run : runs) {
      for (StructField field : run.schema().fields()) {
        if (!Manifest.reserved().contains(field.name())) {
          passthrough.merge(
              folded(field.name()),
              new StructField(field.name(), field.dataType(), true, field.metadata()),
              ManifestSchemas::wider);
        }
      }
    }
    StructField[] fields =
        Stream.concat(passthrough.values().stream(), Stream.of(Manifest.COLUMNS.fields()))
            .toArray(StructField[]::new);
    try {
      return new ManifestSchemas(PathUri.of(output, hadoop), runs, new StructType(fields));
    } catch (IOException e) {
      throw new UncheckedIOException("the file system of %s cannot be opened".formatted(output), e);
    }
  }

  private static StructField wider(StructField newer, StructField older) {
    DataType type =
        newer.dataType().equals(older.dataType())
            ? newer.dataType()
            : TypeCoercion.findTightestCommonType()
                .apply(newer.dataType(), older.dataType())
                .getOrElse(() -> DataTypes.StringType);
    return new StructField(newer.name(), type, true, newer.metadata());
  }

  /** The rows of all runs, unsorted; a column that a run lacks is null there. */
  Dataset<Row> rows(SparkSession spark) {
    Map<StructType, List<CommittedRun>> alike =
        runs.stream()
            .collect(
                Collectors.groupingBy(
                    run -> types(run.schema()), LinkedHashMap::new, Collectors.toList()));
    return alike.entrySet().stream()
        .map(group -> rows(spark, group.getKey(), group.getValue()))
        .reduce(Dataset::union)
        .orElseThrow();
  }

  private Dataset<Row> rows(SparkSession spark, StructType types, List<CommittedRun> alike) {
    Dataset<Row> rows =
        spark
            .read()
            .schema(types)
            .parquet(alike.stream().map(CommittedRun::location).toArray(String[]::new));
    Map<String, DataType> own =
        Stream.of(types.fields())
            .collect(Collectors.toMap(StructField::name, StructField::dataType));
    List<Column> columns = new ArrayList<>();
    for (StructField field : merged.fields()) {
      Column column =
          own.containsKey(field.name())
              ? col(QuotingUtils.quoteIdentifier(field.name()))
              : lit(null);
      if (field.name().equals(ManifestColumns.PATH_URI.name())) {
        column = pathUri;
      }
      columns.add(column.cast(field.dataType()).as(field.name()));
    }
    return rows.select(columns.toArray(Column[]::new));
  }

  /** The merged columns that a run has, with the types that they have in that run. */
  private StructType types(StructType run) {
    Map<String, DataType> own =
        Stream.of(run.fields())
            .collect(
                Collectors.toMap(
                    field -> folded(field.name()),
                    StructField::dataType,
                    (first, second) -> first));
    return new StructType(
        Stream.of(merged.fields())
            .filter(field -> own.containsKey(folded(field.name())))
            .map(
                field ->
                    new StructField(
                        field.name(), own.get(folded(field.name())), true, field.metadata()))
            .toArray(StructField[]::new));
  }

  private static String folded(String name) {
    return name.toLowerCase(Locale.ROOT);
  }
}
