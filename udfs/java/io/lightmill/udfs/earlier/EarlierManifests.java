package io.lightmill.udfs.earlier;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.max_by;
import static org.apache.spark.sql.functions.struct;

import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.manifest.ManifestCommit;
import io.lightmill.udfs.store.ImageStore;
import io.lightmill.udfs.store.ListedObject;
import java.util.List;
import org.apache.commons.lang3.Strings;
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

  /** Keys of their directories. A manifest without its last file was not committed. */
  public static List<String> committed(ImageStore store) {
    return committed(store.listing().objects(Manifest.DIRECTORY));
  }

  /** The same, from a listing of the directory of all manifests. */
  public static List<String> committed(List<ListedObject> listed) {
    return listed.stream()
        .map(ListedObject::key)
        .filter(key -> key.endsWith("/" + ManifestCommit.SUCCESS))
        .map(key -> Strings.CS.removeEnd(key, "/" + ManifestCommit.SUCCESS))
        .sorted()
        .toList();
  }

  /** Their rows; columns that an older manifest lacks are null. */
  public static Dataset<Row> rows(SparkSession spark, String output, List<String> directories) {
    return directories.isEmpty()
        ? spark.createDataFrame(List.of(), READ)
        : spark
            .read()
            .schema(READ)
            .parquet(directories.stream().map(key -> output + "/" + key).toArray(String[]::new));
  }

  /**
   * The rows of stored images. Of several images that were stored under one name, only the last is
   * given: it has replaced the others.
   */
  static Dataset<Row> stored(Dataset<Row> rows) {
    return rows.filter(
            ManifestColumns.STATUS
                .col()
                .isin(ImageStatus.GENERATED.label(), ImageStatus.REUSED.label()))
        .groupBy(
            ManifestColumns.PATH.col().as("stored_path"),
            ManifestColumns.MEMBER.col().as("stored_member"))
        .agg(max_by(struct(col("*")), ManifestColumns.CREATED_AT.col()).as("last"))
        .select("last.*");
  }
}
