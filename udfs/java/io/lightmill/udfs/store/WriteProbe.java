package io.lightmill.udfs.store;

import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Checks that objects can be stored below a root: writes a small one and deletes it, together with
 * the directories that it needed. Calls are not repeated, so that a wrong address is reported at
 * once.
 */
record WriteProbe(FileSystem fileSystem, Path root, ObjectWriter writer) {

  /**
   * The time of the store.
   *
   * @param clock of this host
   */
  StoreTime at(Clock clock) {
    Path probe = new Path(root, ".lightmill-probe-" + UUID.randomUUID());
    try {
      Runnable tidying =
          tidying(new ObjectRemoval(fileSystem, root, isObjectStore(), StoreRetry.NONE));
      writer.write(probe, ObjectBody.of(new byte[1]), "application/octet-stream");
      Instant written = clock.instant();
      Instant modified =
          Instant.ofEpochMilli(fileSystem.getFileStatus(probe).getModificationTime());
      fileSystem.delete(probe, false);
      tidying.run();
      return new StoreTime(modified, Duration.between(written, modified));
    } catch (IOException e) {
      throw StoreFailures.unwritable(root.toString(), e);
    }
  }

  private boolean isObjectStore() {
    return writer instanceof ObjectWriter.OnePut;
  }

  /**
   * Records which of the root and its parents do not exist yet. The returned action deletes those
   * of them that exist by then and are empty.
   */
  Runnable tidying(ObjectRemoval removal) {
    if (isObjectStore()) {
      return () -> {}; // object stores have no directories
    }
    try {
      List<Path> missing = removal.missing(root);
      return () -> missing.forEach(removal::ifEmpty);
    } catch (IOException e) {
      throw StoreFailures.unwritable(root.toString(), e);
    }
  }
}
