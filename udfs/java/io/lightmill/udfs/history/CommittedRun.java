package io.lightmill.udfs.history;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.manifest.ManifestWriteSupport;
import io.lightmill.udfs.store.ImageStore;
import java.io.IOException;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.HadoopReadOptions;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructType;

/**
 * A run whose manifest is committed.
 *
 * @param location of the manifest, as a path of its file system
 * @param committed when the manifest was committed, by the clock of the store
 * @param bytes length of its files
 * @param rows of the file whose footer was read, which has all rows but in manifests of older
 *     releases
 * @param plan fingerprint of what its plan depended on besides the rows; empty in manifests of
 *     older releases
 * @param schema of the manifest: passthrough columns, then the manifest's own
 */
public record CommittedRun(
    String runId,
    String location,
    Instant committed,
    long bytes,
    long rows,
    Optional<String> plan,
    StructType schema) {

  /** Where Spark keeps the schema of a Parquet file that it writes. */
  private static final String SPARK_SCHEMA = "org.apache.spark.sql.parquet.row.metadata";

  /**
   * The committed runs of an output, newest first. Reads one listing, and one Parquet footer per
   * run.
   *
   * @throws LightmillException with {@code INPUT_INVALID} if there are none
   */
  static List<CommittedRun> of(String output, Configuration hadoop) {
    ImageStore store = ImageStore.open(output, hadoop);
    List<CommittedRun> runs =
        CommittedManifest.of(store.listing().objects(Manifest.DIRECTORY)).parallelStream()
            .map(manifest -> of(manifest, output, hadoop))
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

  /** The run with the newest manifest. Reads one listing and one Parquet footer. */
  public static Optional<CommittedRun> newest(String output, Configuration hadoop) {
    ImageStore store = ImageStore.open(output, hadoop);
    return CommittedManifest.of(store.listing().objects(Manifest.DIRECTORY)).stream()
        .max(Comparator.comparing(CommittedManifest::modified))
        .map(manifest -> of(manifest, output, hadoop));
  }

  /** Reads the footer of one file of a manifest. */
  static CommittedRun of(CommittedManifest manifest, String output, Configuration hadoop) {
    Path file = new Path(output, manifest.file());
    try (ParquetFileReader reader =
        ParquetFileReader.open(
            HadoopInputFile.fromPath(file, hadoop),
            // The default options read the XML files of a new Hadoop configuration.
            HadoopReadOptions.builder(hadoop).build())) {
      Map<String, String> footer = reader.getFileMetaData().getKeyValueMetaData();
      return new CommittedRun(
          manifest.runId(),
          new Path(output, manifest.key()).toString(),
          Optional.ofNullable(footer.get(ManifestWriteSupport.COMMITTED))
              .map(Instant::parse)
              .orElse(manifest.modified()),
          manifest.bytes(),
          reader.getRecordCount(),
          Optional.ofNullable(footer.get(ManifestWriteSupport.PLAN)),
          (StructType) DataType.fromJson(footer.get(SPARK_SCHEMA)));
    } catch (IOException
        | RuntimeException e) { // Parquet throws unchecked exceptions for damaged files
      throw new LightmillException(
          ErrorCode.INPUT_INVALID,
          "manifest '%s' cannot be read: %s; restore it, or remove it"
              .formatted(file, e.getMessage()),
          e);
    }
  }
}
