package io.lightmill.udfs.sql;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.earlier.EarlierManifests;
import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.manifest.ManifestCommit;
import io.lightmill.udfs.store.ImageStore;
import io.lightmill.udfs.store.ListedObject;
import java.io.IOException;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.commons.lang3.StringUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructType;

/**
 * A run whose manifest is committed.
 *
 * @param directory of the manifest, as a path of its file system
 * @param committed when the manifest was, by the store's clock
 * @param bytes length of its files
 * @param schema of the manifest: passthrough columns, then the manifest's own
 */
record CommittedRun(
    String runId, String directory, Instant committed, long bytes, StructType schema) {

  /** Where Spark keeps the schema of a Parquet file that it writes. */
  private static final String SPARK_SCHEMA = "org.apache.spark.sql.parquet.row.metadata";

  /**
   * The runs over an output, newest first: one listing, and one Parquet footer a run.
   *
   * @throws LightmillException with {@code INPUT_INVALID} if there are none
   */
  static List<CommittedRun> of(String output, Configuration hadoop) {
    List<ListedObject> objects =
        ImageStore.open(output, hadoop).listing().objects(Manifest.DIRECTORY);
    Map<String, ListedObject> byKey =
        objects.stream().collect(Collectors.toMap(ListedObject::key, object -> object));
    List<CommittedRun> runs =
        EarlierManifests.committed(objects).parallelStream()
            .map(
                directory ->
                    new CommittedRun(
                        StringUtils.substringAfterLast(directory, "run_id="),
                        new Path(output, directory).toString(),
                        byKey.get(directory + "/" + ManifestCommit.SUCCESS).modified(),
                        bytes(directory, objects),
                        schema(new Path(output, part(directory, byKey)), hadoop)))
            .sorted(
                Comparator.comparing(CommittedRun::committed)
                    .thenComparing(CommittedRun::runId)
                    .reversed())
            .toList();
    if (runs.isEmpty()) {
      throw new LightmillException(
          ErrorCode.INPUT_INVALID,
          "output '%s' has no committed manifest below '%s'; name the output of a run that has ended"
              .formatted(output, Manifest.DIRECTORY));
    }
    return runs;
  }

  private static long bytes(String directory, List<ListedObject> objects) {
    return objects.stream()
        .filter(object -> object.key().startsWith(directory + "/"))
        .mapToLong(ListedObject::bytes)
        .sum();
  }

  private static String part(String directory, Map<String, ListedObject> objects) {
    return objects.keySet().stream()
        .filter(key -> key.startsWith(directory + "/") && key.endsWith(".parquet"))
        .min(Comparator.naturalOrder())
        .orElseThrow(() -> unreadable(directory, "it has no Parquet file", null));
  }

  private static StructType schema(Path part, Configuration hadoop) {
    try (ParquetFileReader file = ParquetFileReader.open(HadoopInputFile.fromPath(part, hadoop))) {
      Map<String, String> metadata = file.getFileMetaData().getKeyValueMetaData();
      return (StructType) DataType.fromJson(metadata.get(SPARK_SCHEMA));
    } catch (IOException | RuntimeException e) { // Parquet throws unchecked what is no Parquet
      throw unreadable(part.toString(), e.getMessage(), e);
    }
  }

  private static LightmillException unreadable(String manifest, String why, Exception cause) {
    return new LightmillException(
        ErrorCode.INPUT_INVALID,
        "manifest '%s' cannot be read: %s; restore it, or remove its directory"
            .formatted(manifest, why),
        cause);
  }
}
