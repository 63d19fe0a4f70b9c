package io.lightmill.udfs.sql;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.struct;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.history.OutputRows;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SQLContext;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.util.QuotingUtils;
import org.apache.spark.sql.sources.BaseRelation;
import org.apache.spark.sql.sources.Filter;
import org.apache.spark.sql.sources.PrunedFilteredScan;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import io.lightmill.udfs.store.SharedConfiguration;

/**
 * An output as a table. Reads only the columns that a query needs, and images only if it needs
 * them, for the rows that pass its filters.
 */
final class OutputRelation extends BaseRelation implements PrunedFilteredScan {

  private final SQLContext context;
  private final ReadOptions options;
  private final OutputRows rows;

  /**
   * @throws LightmillException with {@code INPUT_INVALID} if there is nothing to read
   */
  OutputRelation(SQLContext context, ReadOptions options) {
    this.context = context;
    this.options = options;
    this.rows =
        OutputRows.of(
            options.output(),
            options.runId(),
            options.runId().isEmpty() && !options.allRuns(),
            context.sparkContext().hadoopConfiguration());
    if (options.imageBytes() && hasImageColumn(rows.schema())) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          ("the manifest of '%s' has a column '%s' from its prompt table, so image-bytes has no"
                  + " name for the images; read without image-bytes")
              .formatted(options.output(), ReadOptions.IMAGE));
    }
  }

  private static boolean hasImageColumn(StructType schema) {
    return Arrays.stream(schema.fieldNames()).anyMatch(ReadOptions.IMAGE::equalsIgnoreCase);
  }

  @Override
  public SQLContext sqlContext() {
    return context;
  }

  @Override
  public StructType schema() {
    return options.imageBytes()
        ? rows.schema().add(ReadOptions.IMAGE, DataTypes.BinaryType)
        : rows.schema();
  }

  @Override
  public RDD<Row> buildScan(String[] requiredColumns, Filter[] filters) {
    Set<String> read = new LinkedHashSet<>(List.of(requiredColumns));
    boolean images = options.imageBytes() && read.remove(ReadOptions.IMAGE);
    Set<String> stored = Set.of(rows.schema().fieldNames());
    List<Filter> usable =
        Arrays.stream(filters)
            .filter(filter -> stored.containsAll(List.of(filter.references())))
            .toList();
    usable.forEach(filter -> read.addAll(List.of(filter.references())));
    if (images) {
      read.addAll(List.of(ReadImages.PLACE));
    }
    SparkSession session = SessionCopy.scanning(context.sparkSession(), rows.bytes());
    Dataset<Row> filtered = rows.select(session, read);
    for (Filter filter : usable) {
      Optional<Column> column = FilterColumns.of(filter);
      filtered = column.map(filtered::filter).orElse(filtered);
    }
    Dataset<Row> selected = images ? withImages(filtered, requiredColumns) : filtered;
    return selected.select(quoted(requiredColumns)).javaRDD().rdd();
  }

  private Dataset<Row> withImages(Dataset<Row> filtered, String[] requiredColumns) {
    String[] others =
        Arrays.stream(requiredColumns)
            .filter(column -> !column.equals(ReadOptions.IMAGE))
            .toArray(String[]::new);
    Dataset<Row> placed =
        filtered.select(
            Stream.concat(
                    Stream.of(quoted(others)),
                    Stream.of(struct(quoted(ReadImages.PLACE)).as(ReadOptions.IMAGE)))
                .toArray(Column[]::new));
    StructType schema =
        filtered.select(quoted(others)).schema().add(ReadOptions.IMAGE, DataTypes.BinaryType);
    ReadImages reading =
        new ReadImages(
            options.output(),
            new SharedConfiguration(context.sparkContext().hadoopConfiguration()));
    return placed.mapPartitions(reading, Encoders.row(schema));
  }

  private static Column[] quoted(String[] names) {
    return Arrays.stream(names)
        .map(name -> col(QuotingUtils.quoteIdentifier(name)))
        .toArray(Column[]::new);
  }
}
