package io.lightmill.udfs.earlier;

import io.lightmill.udfs.history.CommittedManifest;
import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.store.ImageStore;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;

/** The manifests of earlier runs over the same output. */
public final class EarlierManifests {

  private static final StructType READ =
      EarlierImages.TYPE
          .add(ManifestColumns.IMAGE_ID.name(), ManifestColumns.IMAGE_ID.type())
          .add(ManifestColumns.RUN_ID.name(), ManifestColumns.RUN_ID.type())
          .add(ManifestColumns.CREATED_AT.name(), ManifestColumns.CREATED_AT.type());

  private EarlierManifests() {}

  /** Their keys. */
  public static List<String> committed(ImageStore store) {
    return CommittedManifest.of(store.listing().objects(Manifest.DIRECTORY)).stream()
        .map(CommittedManifest::key)
        .toList();
  }

  /** Their rows; columns that an older manifest lacks are null. */
  static Dataset<Row> rows(SparkSession spark, String output, List<String> keys) {
    return keys.isEmpty()
        ? spark.createDataFrame(List.of(), READ)
        : spark
            .read()
            .schema(READ)
            .parquet(keys.stream().map(key -> output + "/" + key).toArray(String[]::new));
  }
}
