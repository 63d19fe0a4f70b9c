package io.lightmill.udfs.manifest;

import static org.apache.spark.sql.functions.timestamp_micros;

import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.VerdictCounts;
import io.lightmill.udfs.column.UntypedText;
import io.lightmill.udfs.store.ImageStore;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
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

  public static final String EXTENSION = ".parquet";

  public static final String CONTENT_TYPE = "application/vnd.apache.parquet";

  /**
   * A column of rows in flight after those of {@link #schemaInFlight}: a small copy of the image as
   * a WebP file, null where there is none. No manifest has it.
   */
  public static final String THUMBNAIL = "lightmill_thumbnail";

  /** Of the names of directories that older releases wrote. */
  public static final String OLD_PREFIX = "run_id=";

  /** The last file that older releases wrote into such a directory. */
  public static final String OLD_SUCCESS = "_SUCCESS";

  private Manifest() {}

  /**
   * What is counted over all rows.
   *
   * @param statuses rows by status
   * @param blank rows whose image has a single colour
   * @param verdicts rows with a verdict
   * @param transformerCalls of all images that the run has drawn
   * @param device time that the devices spent drawing
   */
  public record Totals(
      Map<ImageStatus, Long> statuses,
      long blank,
      VerdictCounts verdicts,
      long transformerCalls,
      DeviceSeconds device) {}

  /**
   * Time of all devices together.
   *
   * @param total all of it
   * @param encode of encoding prompts
   * @param denoise of the transformers' steps
   * @param decode of decoding latents
   */
  public record DeviceSeconds(double total, double encode, double denoise, double decode) {}

  /**
   * A manifest that was written.
   *
   * @param schema of its file
   */
  public record Committed(Totals totals, StructType schema) {}

  /** Names that no passthrough column may have. */
  public static List<String> reserved() {
    return Stream.concat(Arrays.stream(COLUMNS.fieldNames()), Stream.of(THUMBNAIL)).toList();
  }

  public static StructType schema(StructType passthrough) {
    StructField[] fields =
        Stream.of(passthrough.fields(), COLUMNS.fields())
            .flatMap(Arrays::stream)
            .toArray(StructField[]::new);
    return new StructType(fields);
  }

  /**
   * The schema of rows before {@link #commit}: times are microseconds, whatever time API the
   * session uses.
   */
  public static StructType schemaInFlight(StructType passthrough) {
    StructField[] fields = schema(passthrough).fields();
    String createdAt = ManifestColumns.CREATED_AT.name();
    int index = passthrough.length() + COLUMNS.fieldIndex(createdAt);
    fields[index] = new StructField(createdAt, DataTypes.LongType, true, fields[index].metadata());
    return new StructType(fields);
  }

  /** Key of the manifest of one run, which is one Parquet file. */
  public static String key(String runId) {
    return DIRECTORY + "/" + runId + EXTENSION;
  }

  /** The manifest of one run, as a path of its file system. */
  public static String location(String output, String runId) {
    return output + (output.endsWith("/") ? "" : "/") + key(runId);
  }

  /** Key of the directory that a run of an older release has instead. */
  static String oldKey(String runId) {
    return DIRECTORY + "/" + OLD_PREFIX + runId;
  }

  /**
   * Counts the rows of a run and commits them as one object, which appears under its key complete
   * or not at all.
   *
   * @param rows of {@link #schemaInFlight}; read more than once, so they should be materialized
   * @param earlier schema of the manifest of the newest earlier run; empty if there is none
   * @param plan for {@link ManifestWriteSupport#PLAN}
   * @param requireLock throws if the commit is no longer allowed
   * @throws LightmillException with {@code STORE_FAILED} if another run has committed this run id
   */
  public static Committed commit(
      Dataset<Row> rows,
      StructType passthrough,
      StructType earlier,
      String plan,
      String output,
      String runId,
      Runnable requireLock)
      throws IOException {
    SparkSession spark = rows.sparkSession();
    Configuration hadoop = spark.sparkContext().hadoopConfiguration();
    NumberColumns numbers = new NumberColumns(passthrough, earlier);
    RowCounts counts = RowCounts.of(rows, passthrough);
    StructType typed = numbers.typed(counts.numbers());
    Column[] columns =
        Stream.concat(
                Arrays.stream(UntypedText.cast(typed)),
                ManifestColumns.ALL.stream().map(ManifestColumn::col))
            .toArray(Column[]::new);
    Dataset<Row> finished =
        rows.withColumn(
                ManifestColumns.CREATED_AT.name(),
                timestamp_micros(ManifestColumns.CREATED_AT.col()))
            .withColumn(ManifestColumns.PATH_URI.name(), PathUri.of(output, hadoop))
            .select(columns)
            .coalesce(1)
            .sortWithinPartitions(ManifestColumns.ID.col(), ManifestColumns.VARIANT.col());
    UncommittedRows uncommitted = new UncommittedRows(spark, output, runId);
    try (UncommittedFile file =
        uncommitted.file("manifest", finished, Map.of(ManifestWriteSupport.PLAN, plan))) {
      requireLock.run();
      ImageStore.open(output, hadoop).create(key(runId), file.body(), CONTENT_TYPE);
    }
    return new Committed(counts.totals(), schema(typed));
  }

  /**
   * The rows of a committed manifest.
   *
   * @param schema as it was committed
   */
  public static Dataset<Row> read(SparkSession spark, String location, StructType schema) {
    return spark.read().schema(schema).parquet(location);
  }
}
