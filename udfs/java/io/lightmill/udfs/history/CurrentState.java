package io.lightmill.udfs.history;

import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.manifest.UncommittedRows;
import io.lightmill.udfs.store.ImageStore;
import io.lightmill.udfs.store.ObjectBody;
import java.io.IOException;
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
    OutputRows rows = OutputRows.of(output, Optional.empty(), true, hadoop);
    Dataset<Row> state =
        rows.select(uncommitted.spark(), Set.of(rows.schema().fieldNames()))
            .repartition(1)
            .sortWithinPartitions(ManifestColumns.ID.col(), ManifestColumns.VARIANT.col());
    ObjectBody file = uncommitted.file("current", state, Optional.empty());
    requireLock.run();
    ImageStore.open(output, hadoop).put(KEY, file, Manifest.CONTENT_TYPE);
  }
}
