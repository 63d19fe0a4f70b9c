package io.lightmill.udfs;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max_by;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.when;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.IOException;
import java.util.Arrays;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** Images that earlier runs left below the same output: those need no drawing. */
final class EarlierManifests {

  /** Struct of what the manifest will say of an image that is there; null if it is to be drawn. */
  static final String EARLIER = "earlier";

  static final StructType EARLIER_TYPE =
      new StructType()
          .add("path", DataTypes.StringType)
          .add("bytes", DataTypes.LongType)
          .add("sha256", DataTypes.StringType);

  private static final StructType READ =
      EARLIER_TYPE
          .add("image_id", DataTypes.StringType)
          .add("status", DataTypes.StringType)
          .add("created_at", DataTypes.TimestampType);

  private EarlierManifests() {}

  /**
   * Marks the images that are there. Of several images that a path template stored under one path,
   * the last one counts: it has replaced the others.
   *
   * @param images rows of {@link PlannedImages}
   * @param force take none as being there
   */
  static Dataset<Row> marked(
      SparkSession spark, Dataset<Row> images, String output, boolean force) {
    String directory = Manifest.directory(output);
    if (force || !exists(spark, directory)) {
      return images.withColumn(EARLIER, lit(null).cast(EARLIER_TYPE));
    }
    Dataset<Row> stored = stored(spark, directory);
    Column there = col(EARLIER).isNotNull();
    return images
        .join(stored, images.col("image_id").equalTo(stored.col("stored_id")), "left")
        .drop("stored_id")
        .withColumn(PlannedImages.BATCH_KEY, when(there, null).otherwise(col("batch_key")))
        .withColumn(PlannedImages.COST, when(there, null).otherwise(col("cost")));
  }

  private static Dataset<Row> stored(SparkSession spark, String directory) {
    Column[] parts =
        Arrays.stream(EARLIER_TYPE.fieldNames()).map(c -> col("last." + c)).toArray(Column[]::new);
    return spark
        .read()
        .schema(READ)
        .option("recursiveFileLookup", true)
        .parquet(directory)
        .filter(col("status").isin(ImageStatus.GENERATED.label(), ImageStatus.REUSED.label()))
        .groupBy("path")
        .agg(max_by(struct(col("*")), col("created_at")).as("last"))
        .groupBy(col("last.image_id").as("stored_id"))
        .agg(max_by(struct(parts), col("last.created_at")).as(EARLIER));
  }

  private static boolean exists(SparkSession spark, String directory) {
    try {
      Path path = new Path(directory);
      return path.getFileSystem(spark.sparkContext().hadoopConfiguration()).exists(path);
    } catch (IOException e) {
      throw new LightmillException(
          ErrorCode.OUTPUT_UNWRITABLE,
          "the manifests in '%s' cannot be looked up: %s".formatted(directory, e.getMessage()),
          e);
    }
  }
}
