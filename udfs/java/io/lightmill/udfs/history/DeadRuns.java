package io.lightmill.udfs.history;

import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.manifest.UncommittedRows;
import io.lightmill.udfs.plan.MaterializedRows;
import io.lightmill.udfs.shard.ShardPacker;
import io.lightmill.udfs.store.ImageStore;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Objects of killed runs apart from images and shards: rows that they did not commit, plans,
 * temporary files and incomplete uploads. Only the run that holds the lock of the output may remove
 * them: then every other run over the output has ended.
 */
public final class DeadRuns {

  private static final Logger LOG = LoggerFactory.getLogger(DeadRuns.class);

  /** Directories in which an upload may have several parts. */
  private static final List<String> UPLOADS =
      List.of(
          UncommittedRows.DIRECTORY,
          MaterializedRows.DIRECTORY,
          Manifest.DIRECTORY,
          ShardPacker.DIRECTORY);

  /** A starting run writes a file below the root before it has the lock. */
  private static final Duration STARTING = Duration.ofHours(1);

  private DeadRuns() {}

  /**
   * Removes it, and converts {@link OldManifests}. What cannot be removed is left to the next run.
   *
   * @param uncommitted directory of this run, whose manifest is committed
   * @param now by the clock of the store
   * @param requireLock throws if the run no longer holds the lock of the output
   */
  public static void sweep(UncommittedRows uncommitted, Instant now, Runnable requireLock) {
    try {
      OldManifests.convert(uncommitted, requireLock);
      ImageStore store =
          ImageStore.open(
              uncommitted.output(), uncommitted.spark().sparkContext().hadoopConfiguration());
      List<String> dead = dead(store, uncommitted.runId());
      requireLock.run();
      dead.forEach(store.removal()::tree);
      List<String> files = new ArrayList<>(store.listing().temporaries(Manifest.DIRECTORY));
      files.addAll(store.listing().temporariesOfRoot(now.minus(STARTING)));
      if (!files.isEmpty()) {
        store.removal().objects(files);
      }
      store.deleteIfEmpty(UncommittedRows.DIRECTORY);
      store.deleteIfEmpty(MaterializedRows.DIRECTORY);
      UPLOADS.forEach(store.removal()::uploads);
    } catch (Exception e) { // of any kind, also what Spark does not declare: the run succeeded
      LOG.warn(
          "Images and manifest are complete; some files of killed runs below {} could not be"
              + " removed and are left to the next run",
          uncommitted.output(),
          e);
    }
  }

  /** Keys of files and directories; all committed manifests are files by now. */
  private static List<String> dead(ImageStore store, String runId) {
    List<String> dead = new ArrayList<>();
    for (String child : store.listing().children(Manifest.DIRECTORY)) {
      String name = child.substring(Manifest.DIRECTORY.length() + 1);
      if (name.startsWith(Manifest.OLD_PREFIX)
          || name.startsWith("." + Manifest.OLD_PREFIX)
          || name.startsWith("_")) {
        dead.add(child);
      }
    }
    dead.addAll(store.listing().children(UncommittedRows.DIRECTORY));
    String plans = MaterializedRows.DIRECTORY;
    store.listing().children(plans).stream()
        .filter(child -> !child.equals(plans + "/run_id=" + runId))
        .forEach(dead::add);
    return dead;
  }
}
