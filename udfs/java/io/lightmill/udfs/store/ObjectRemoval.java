package io.lightmill.udfs.store;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.fs.BulkDelete;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Takes away what is no longer wanted below the root of a store. */
public final class ObjectRemoval {

  private final FileSystem fileSystem;
  private final Path root;
  private final boolean flat;

  /**
   * @param flat whether the store knows no directories
   */
  ObjectRemoval(FileSystem fileSystem, Path root, boolean flat) {
    this.fileSystem = fileSystem;
    this.root = root;
    this.flat = flat;
  }

  /**
   * Removes objects: on S3 by a call for hundreds of them.
   *
   * @param keys of objects; one that is not there counts as removed
   * @throws io.lightmill.pipeline.LightmillException (STORE_FAILED) where one stays
   */
  public void objects(List<String> keys) {
    List<Path> paths = keys.stream().map(key -> new Path(root, key)).toList();
    try (BulkDelete bulk = fileSystem.createBulkDelete(root)) {
      int page = bulk.pageSize();
      for (int start = 0; start < paths.size(); start += page) {
        List<Map.Entry<Path, String>> stayed =
            bulk.bulkDelete(paths.subList(start, Math.min(start + page, paths.size())));
        if (!stayed.isEmpty()) {
          Map.Entry<Path, String> first = stayed.get(0);
          throw StoreFailures.unremoved(first.getKey(), new IOException(first.getValue()));
        }
      }
    } catch (IOException e) {
      throw StoreFailures.unremoved(root, e);
    }
  }

  /**
   * Removes a directory, if no object is left in the tree below it.
   *
   * @param directory a key
   */
  public void emptyTree(String directory) {
    Path path = new Path(root, directory);
    if (!flat && new ObjectListing(fileSystem, root, false).objects(directory).isEmpty()) {
      try {
        fileSystem.delete(path, true);
      } catch (IOException e) {
        throw StoreFailures.unremoved(path, e);
      }
    }
  }

  /** Removes a directory, if it holds nothing at all. */
  void ifEmpty(Path directory) {
    try {
      if (fileSystem.exists(directory) && fileSystem.listStatus(directory).length == 0) {
        fileSystem.delete(directory, false);
      }
    } catch (IOException e) {
      throw StoreFailures.unremoved(directory, e);
    }
  }

  /** A directory and its parents that are not there, the deepest first. */
  List<Path> missing(Path directory) throws IOException {
    List<Path> missing = new ArrayList<>();
    for (Path at = directory; at != null && !fileSystem.exists(at); at = at.getParent()) {
      missing.add(at);
    }
    return missing;
  }
}
