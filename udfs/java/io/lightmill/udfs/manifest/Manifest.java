package io.lightmill.udfs.manifest;

import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.timestamp_micros;
import static org.apache.spark.sql.functions.when;

import io.lightmill.udfs.ImageStatus;
import java.io.IOException;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Observation;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * The table of all requested images and what happened to them: the passthrough columns of the table
 * row, then {@link ManifestColumns}. The schema is always the same; what does not apply is null.
 */
public final class Manifest {

  /** The manifest's own columns, in order. */
  public static final StructType COLUMNS = ManifestColumn.schema(ManifestColumns.ALL);

  /** Directory of all manifests below an output. */
  public static final String DIRECTORY = "manifest";

  private static final String ENGINE = "engine_ms";
  private static final String BLANK = "blank_images";

  private Manifest() {}

  /**
   * What is counted over all rows.
   *
   * @param statuses rows by status
   * @param blank rows whose image has a single colour
   * @param engineSeconds that the devices spent drawing
   */
  public record Totals(Map<ImageStatus, Long> statuses, long blank, double engineSeconds) {}

  /** Names that no passthrough column may have. */
  public static List<String> reserved() {
    return List.of(COLUMNS.fieldNames());
  }

  public static StructType schema(StructType passthrough) {
    StructField[] fields =
        Stream.of(passthrough.fields(), COLUMNS.fields())
            .flatMap(Arrays::stream)
            .toArray(StructField[]::new);
    return new StructType(fields);
  }

  /**
   * The schema of rows before {@link #write}: times are microseconds, whatever time API the session
   * uses.
   */
  public static StructType schemaInFlight(StructType passthrough) {
    StructField[] fields = schema(passthrough).fields();
    String createdAt = ManifestColumns.CREATED_AT.name();
    int index = passthrough.length() + COLUMNS.fieldIndex(createdAt);
    fields[index] = new StructField(createdAt, DataTypes.LongType, true, fields[index].metadata());
    return new StructType(fields);
  }

  /** The directory of one run's manifest. */
  public static String directory(String output, String runId) {
    return output + "/" + DIRECTORY + "/run_id=" + runId;
  }

  /**
   * Computes the rows, once, counts them and commits them together.
   *
   * @param requireLock throws if the commit is no longer allowed
   */
  public static Totals write(Dataset<Row> rows, String directory, Runnable requireLock)
      throws IOException, InterruptedException {
    Observation counted = new Observation();
    Dataset<Row> observed =
        rows.withColumn(
                ManifestColumns.CREATED_AT.name(),
                timestamp_micros(ManifestColumns.CREATED_AT.col()))
            .observe(counted, sum(ManifestColumns.GENERATE_MS.col()).as(ENGINE), counts());
    new ManifestCommit(rows.sparkSession(), new Path(directory))
        .write(observed.write(), requireLock);
    return totals(counted.getAsJava());
  }

  private static Column[] counts() {
    return Stream.concat(
            Stream.of(count(when(ManifestColumns.BLANK.col(), true)).as(BLANK)),
            Arrays.stream(ImageStatus.values())
                .map(ImageStatus::label)
                .map(
                    status ->
                        count(when(ManifestColumns.STATUS.col().equalTo(status), true)).as(status)))
        .toArray(Column[]::new);
  }

  private static Totals totals(Map<String, Object> counted) {
    Map<ImageStatus, Long> statuses = new EnumMap<>(ImageStatus.class);
    for (ImageStatus status : ImageStatus.values()) {
      long rows = (Long) counted.get(status.label());
      if (rows > 0) {
        statuses.put(status, rows);
      }
    }
    Object engineMillis = counted.get(ENGINE);
    return new Totals(
        statuses,
        (Long) counted.get(BLANK),
        engineMillis == null ? 0 : (Double) engineMillis / 1000);
  }

  /** A committed manifest. */
  public static Dataset<Row> read(SparkSession spark, String directory, StructType passthrough) {
    return spark.read().schema(schema(passthrough)).parquet(directory);
  }
}
