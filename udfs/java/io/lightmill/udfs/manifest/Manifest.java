package io.lightmill.udfs.manifest;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.timestamp_micros;
import static org.apache.spark.sql.functions.when;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.store.ImageStore;
import java.io.IOException;
import java.time.Instant;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
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
 * What became of every image asked for: the passthrough columns of its table row, then columns of
 * the manifest's own. The schema is the same whatever happened; what does not apply is null.
 */
public final class Manifest {

  /**
   * The manifest's own columns, in order. {@code path} is relative to the output, so that the
   * output may be moved. Where images are packed, it is that of the shard, of {@code shard_bytes}
   * bytes, {@code member} is the image's name in it, and {@code member_offset} its first byte in a
   * tar. {@code bytes} and {@code sha256} are those of the image. {@code generate_ms} is the
   * image's share of its batch's time on the engine. {@code lora_digests} are those of the
   * adapters' files, in the order of {@code lora}. {@code attempt} counts Spark's attempts at the
   * task, from 0.
   */
  public static final StructType COLUMNS =
      new StructType()
          .add("image_id", DataTypes.StringType)
          .add("id", DataTypes.StringType)
          .add("variant", DataTypes.IntegerType)
          .add("status", DataTypes.StringType)
          .add("error_code", DataTypes.StringType)
          .add("error_message", DataTypes.StringType)
          .add("path", DataTypes.StringType)
          .add("member", DataTypes.StringType)
          .add("member_offset", DataTypes.LongType)
          .add("shard_bytes", DataTypes.LongType)
          .add("format", DataTypes.StringType)
          .add("bytes", DataTypes.LongType)
          .add("sha256", DataTypes.StringType)
          .add("width", DataTypes.IntegerType)
          .add("height", DataTypes.IntegerType)
          .add("prompt", DataTypes.StringType)
          .add("negative_prompt", DataTypes.StringType)
          .add("num_inference_steps", DataTypes.IntegerType)
          .add("guidance_scale", DataTypes.DoubleType)
          .add("true_cfg_scale", DataTypes.DoubleType)
          .add("max_sequence_length", DataTypes.IntegerType)
          .add("seed", DataTypes.LongType)
          .add("prompt_truncated", DataTypes.BooleanType)
          .add("lora", DataTypes.StringType)
          .add("lora_digests", DataTypes.StringType)
          .add("model", DataTypes.StringType)
          .add("model_digest", DataTypes.StringType)
          .add("dtype", DataTypes.StringType)
          .add("run_id", DataTypes.StringType)
          .add("attempt", DataTypes.IntegerType)
          .add("created_at", DataTypes.TimestampType)
          .add("generate_ms", DataTypes.DoubleType)
          .add("encode_ms", DataTypes.DoubleType)
          .add("store_ms", DataTypes.DoubleType)
          .add("device", DataTypes.StringType)
          .add("policy_digest", DataTypes.StringType);

  /** Of all manifests below an output. */
  public static final String DIRECTORY = "manifest";

  private static final String ENGINE = "engine_ms";

  private Manifest() {}

  /** Rows by status, and seconds that the engines were busy. */
  public record Totals(Map<ImageStatus, Long> statuses, double engineSeconds) {}

  /** Names that no passthrough column may have. */
  public static List<String> reserved() {
    return List.of(COLUMNS.fieldNames());
  }

  static StructType schema(StructType passthrough) {
    StructField[] fields =
        Stream.of(passthrough.fields(), COLUMNS.fields())
            .flatMap(Arrays::stream)
            .toArray(StructField[]::new);
    return new StructType(fields);
  }

  /** The schema of rows on their way: the time is microseconds, whatever Spark's Java time API. */
  public static StructType schemaInFlight(StructType passthrough) {
    StructField[] fields = schema(passthrough).fields();
    int createdAt = passthrough.length() + COLUMNS.fieldIndex("created_at");
    fields[createdAt] =
        new StructField("created_at", DataTypes.LongType, true, fields[createdAt].metadata());
    return new StructType(fields);
  }

  /** The directory of one run's manifest. */
  public static String directory(String output, String runId) {
    return output + "/" + DIRECTORY + "/run_id=" + runId;
  }

  /**
   * Makes sure that the output can be written and that no finished run has this name.
   *
   * @return the time by the store's clock
   * @throws LightmillException with {@code OUTPUT_UNWRITABLE} or {@code CONFIGURATION_INVALID}
   */
  public static Instant reserve(SparkSession spark, String output, String runId) {
    Configuration hadoop = spark.sparkContext().hadoopConfiguration();
    Instant now = ImageStore.open(output, hadoop).probeWritable();
    String directory = directory(output, runId);
    try {
      Path path = new Path(directory, ManifestCommit.SUCCESS);
      if (path.getFileSystem(hadoop).exists(path)) {
        throw new LightmillException(
            ErrorCode.CONFIGURATION_INVALID,
            "run id '%s' is taken: '%s' exists; choose another"
                .formatted(runId, directory));
      }
      return now;
    } catch (IOException e) {
      throw new LightmillException(
          ErrorCode.OUTPUT_UNWRITABLE,
          "'%s' cannot be looked up: %s".formatted(directory, e.getMessage()),
          e);
    }
  }

  /**
   * Computes the rows, once, and commits them together; counts them as they pass.
   *
   * @param held refuses the commit by throwing
   */
  public static Totals write(Dataset<Row> rows, String directory, Runnable held)
      throws IOException, InterruptedException {
    SparkSession session = ManifestCommit.session(rows.sparkSession());
    Observation counted = new Observation();
    Dataset<Row> observed =
        session
            .createDataFrame(rows.javaRDD(), rows.schema())
            .withColumn("created_at", timestamp_micros(col("created_at")))
            .observe(counted, sum("generate_ms").as(ENGINE), counts());
    new ManifestCommit(session, new Path(directory)).write(observed.write(), held);
    return totals(counted.getAsJava());
  }

  private static Column[] counts() {
    return Arrays.stream(ImageStatus.values())
        .map(ImageStatus::label)
        .map(status -> count(when(col("status").equalTo(status), true)).as(status))
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
    return new Totals(statuses, engineMillis == null ? 0 : (Double) engineMillis / 1000);
  }

  public static Dataset<Row> read(SparkSession spark, String directory, StructType passthrough) {
    return spark.read().schema(schema(passthrough)).parquet(directory);
  }
}
