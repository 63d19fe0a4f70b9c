package io.lightmill.udfs.history;

import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.manifest.ManifestWriteSupport;
import io.lightmill.udfs.manifest.UncommittedFile;
import io.lightmill.udfs.manifest.UncommittedRows;
import io.lightmill.udfs.store.ImageStore;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;

/**
 * The manifests of older releases: a directory {@code run_id=…} for each run. Its name is a
 * partition key for other readers, which refuse the column of the same name in its files.
 */
public final class OldManifests {

  private OldManifests() {}

  /**
   * Converts each to one file with all columns, then deletes its directory. Both exist for a
   * moment; {@link CommittedManifest} then takes the file.
   *
   * @param uncommitted directory of this run
   * @param requireLock throws if the run no longer holds the lock of the output
   */
  public static void convert(UncommittedRows uncommitted, Runnable requireLock) throws IOException {
    String output = uncommitted.output();
    Configuration hadoop = uncommitted.spark().sparkContext().hadoopConfiguration();
    ImageStore store = ImageStore.open(output, hadoop);
    for (CommittedManifest manifest :
        CommittedManifest.of(store.listing().objects(Manifest.DIRECTORY))) {
      if (manifest.isDirectory()) {
        CommittedRun run = CommittedRun.of(manifest, output, hadoop);
        try (UncommittedFile file =
            uncommitted.file(
                "old-" + run.runId(),
                ManifestSchemas.of(output, List.of(run), hadoop)
                    .rows(uncommitted.spark())
                    .coalesce(1)
                    .sortWithinPartitions(ManifestColumns.ID.col(), ManifestColumns.VARIANT.col()),
                Map.of(ManifestWriteSupport.COMMITTED, run.committed().toString()))) {
          requireLock.run();
          store.create(Manifest.key(run.runId()), file.body(), Manifest.CONTENT_TYPE);
        }
        store.removal().tree(manifest.key());
      }
    }
  }
}
