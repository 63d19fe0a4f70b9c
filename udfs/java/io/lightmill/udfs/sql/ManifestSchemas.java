package io.lightmill.udfs.sql;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;

import io.lightmill.udfs.manifest.Manifest;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
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
 * One schema for the manifests of several runs. Passthrough columns are merged by name, whatever
 * its case. Where their types differ, the type that holds all their values is taken, such as double
 * for int and double; where there is none, text.
 *
 * @param runs newest first; the newest run decides the order and the case of names
 * @param merged passthrough columns, then the manifest's own
 */
record ManifestSchemas(List<CommittedRun> runs, StructType merged) {

  static ManifestSchemas of(List<CommittedRun> runs) {
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
    return new ManifestSchemas(runs, new StructType(fields));
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
            .parquet(alike.stream().map(CommittedRun::directory).toArray(String[]::new));
    Map<String, DataType> own =
        Stream.of(types.fields())
            .collect(Collectors.toMap(StructField::name, StructField::dataType));
    List<Column> columns = new ArrayList<>();
    for (StructField field : merged.fields()) {
      Column column =
          own.containsKey(field.name())
              ? col(QuotingUtils.quoteIdentifier(field.name()))
              : lit(null);
      columns.add(column.cast(field.dataType()).as(field.name()));
    }
    return rows.select(columns.toArray(Column[]::new));
  }

  /** The merged columns that a run has, with the types that it has them in. */
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
