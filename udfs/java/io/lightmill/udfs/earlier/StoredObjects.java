package io.lightmill.udfs.earlier;

import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.store.ImageStore;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;

/** The objects below an output, listed by the store. */
public final class StoredObjects {

  static final String LENGTH = "object_bytes";

  /** A timestamp, by the store's clock. */
  static final String MODIFIED = "object_modified";

  private static final StructType TYPE =
      new StructType()
          .add(ManifestColumns.PATH.name(), DataTypes.StringType)
          .add(LENGTH, DataTypes.LongType)
          .add("modified_micros", DataTypes.LongType);

  /** Beyond these, one listing of all is cheaper on an object store than one of each. */
  private static final int MOST_DIRECTORIES = 1024;

  private static final int MOST_TASKS = 64;

  private StoredObjects() {}

  /** Lists directories; their subdirectories are listed in parallel. */
  public static Dataset<Row> listed(
      SparkSession spark, ImageStore store, String output, String... directories) {
    List<String> roots =
        Arrays.stream(directories)
            .flatMap(
                directory -> {
                  List<String> children = store.listing().children(directory);
                  return children.size() > MOST_DIRECTORIES
                      ? Stream.of(directory)
                      : children.stream();
                })
            .toList();
    SerializableConfiguration hadoop =
        new SerializableConfiguration(spark.sparkContext().hadoopConfiguration());
    return spark
        .createDataset(roots, Encoders.STRING())
        .repartition(Math.max(1, Math.min(MOST_TASKS, roots.size() / 4)))
        .flatMap(new ListObjects(output, hadoop), Encoders.row(TYPE))
        .selectExpr(
            ManifestColumns.PATH.name(),
            LENGTH,
            "timestamp_micros(modified_micros) as " + MODIFIED);
  }

  private record ListObjects(String output, SerializableConfiguration hadoop)
      implements FlatMapFunction<String, Row> {

    @Override
    public Iterator<Row> call(String directory) {
      return ImageStore.open(output, hadoop.value()).listing().objects(directory).stream()
          .map(
              object ->
                  RowFactory.create(
                      object.key(),
                      object.bytes(),
                      ChronoUnit.MICROS.between(Instant.EPOCH, object.modified())))
          .iterator();
    }
  }
}
