package io.lightmill.udfs.history;

import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.manifest.UncommittedFile;
import io.lightmill.udfs.manifest.UncommittedRows;
import io.lightmill.udfs.store.ImageStore;
import io.lightmill.udfs.store.ObjectBody;
import io.lightmill.udfs.store.OpenObject;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * The current state of an output as one Parquet file, for readers without Lightmill. It follows
 * from the committed manifests, so a run that is killed before it replaces the file leaves the
 * state of the run before, and the next run corrects it.
 */
public final class CurrentState {

  /** Key of the file. One object, so that readers see the old or the new state and no mixture. */
  public static final String KEY = "current.parquet";

  private CurrentState() {}

  /**
   * Replaces the file.
   *
   * @param uncommitted directory of this run
   * @param requireLock throws if the run no longer holds the lock of the output
   */
  public static void write(UncommittedRows uncommitted, Runnable requireLock) throws IOException {
    String output = uncommitted.output();
    Configuration hadoop = uncommitted.spark().sparkContext().hadoopConfiguration();
    ImageStore store = ImageStore.open(output, hadoop);
    List<CommittedManifest> manifests =
        CommittedManifest.of(store.listing().objects(Manifest.DIRECTORY));
    if (manifests.size() == 1 && !manifests.get(0).isDirectory()) {
      requireLock.run();
      store.put(KEY, copy(store, manifests.get(0).file()), Manifest.CONTENT_TYPE);
      return;
    }
    try (UncommittedFile file = uncommitted.file("current", state(uncommitted, hadoop), Map.of())) {
      requireLock.run();
      store.put(KEY, file.body(), Manifest.CONTENT_TYPE);
    }
  }

  /** The state after one run is its manifest: no two rows of a run request the same image. */
  private static ObjectBody copy(ImageStore store, String key) {
    return out -> {
      try (OpenObject manifest =
          store.open(key).orElseThrow(() -> new FileNotFoundException(key))) {
        manifest.stream().transferTo(out);
      }
    };
  }

  private static Dataset<Row> state(UncommittedRows uncommitted, Configuration hadoop) {
    OutputRows rows = OutputRows.of(uncommitted.output(), Optional.empty(), true, hadoop);
    return rows.select(uncommitted.spark(), Set.of(rows.schema().fieldNames()))
        .repartition(1)
        .sortWithinPartitions(ManifestColumns.ID.col(), ManifestColumns.VARIANT.col());
  }
}
