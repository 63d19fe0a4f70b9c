package io.lightmill.udfs.store;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.hadoop.fs.BulkDelete;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.MultipartUploader;
import org.apache.hadoop.fs.Path;

/** Deletes objects and directories below the root of a store. */
public final class ObjectRemoval {

  private final FileSystem fileSystem;
  private final Path root;
  private final boolean flat;
  private final StoreRetry retry;

  /**
   * @param flat whether the store has no directories
   */
  ObjectRemoval(FileSystem fileSystem, Path root, boolean flat, StoreRetry retry) {
    this.fileSystem = fileSystem;
    this.root = root;
    this.flat = flat;
    this.retry = retry;
  }

  /**
   * Deletes objects, on S3 hundreds per call.
   *
   * @param keys of objects; a missing object counts as deleted
   * @throws io.lightmill.pipeline.LightmillException (STORE_FAILED) if one cannot be deleted
   */
  public void objects(List<String> keys) {
    List<Path> paths = keys.stream().map(key -> new Path(root, key)).toList();
    try (BulkDelete bulk = fileSystem.createBulkDelete(root)) {
      int page = bulk.pageSize();
      for (int start = 0; start < paths.size(); start += page) {
        List<Path> next = paths.subList(start, Math.min(start + page, paths.size()));
        List<Map.Entry<Path, String>> failed = retry.call(() -> bulk.bulkDelete(next));
        if (!failed.isEmpty()) {
          Map.Entry<Path, String> first = failed.get(0);
          throw StoreFailures.undeleted(first.getKey(), new IOException(first.getValue()));
        }
      }
    } catch (IOException e) {
      throw StoreFailures.undeleted(root, e);
    }
  }

  /**
   * Deletes an object, or a directory with the tree below it.
   *
   * @param key of the object or directory, which may be missing
   */
  public void tree(String key) {
    Path path = new Path(root, key);
    try {
      retry.call(() -> fileSystem.delete(path, true));
    } catch (IOException e) {
      throw StoreFailures.undeleted(path, e);
    }
  }

  /**
   * Aborts the uploads below a directory that have begun and are not completed, so that the store
   * frees their parts. Only object stores have such uploads.
   *
   * @param directory a key
   */
  public void uploads(String directory) {
    if (!flat) {
      return;
    }
    Path path = new Path(root, directory);
    try (MultipartUploader uploader = fileSystem.createMultipartUploader(path).build()) {
      uploader.abortUploadsUnderPath(path).get();
    } catch (IOException e) {
      throw StoreFailures.undeleted(path, e);
    } catch (ExecutionException e) {
      throw StoreFailures.undeleted(path, new IOException(e.getCause()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw StoreFailures.undeleted(path, new IOException(e));
    }
  }

  /**
   * Deletes a directory if the tree below it has no objects.
   *
   * @param directory a key
   */
  public void emptyTree(String directory) {
    Path path = new Path(root, directory);
    if (!flat && new ObjectListing(fileSystem, root, false, retry).objects(directory).isEmpty()) {
      try {
        fileSystem.delete(path, true);
      } catch (IOException e) {
        throw StoreFailures.undeleted(path, e);
      }
    }
  }

  /** Deletes a directory if it is empty. */
  void ifEmpty(Path directory) {
    try {
      retry.call(
          () ->
              fileSystem.exists(directory)
                  && fileSystem.listStatus(directory).length == 0
                  && fileSystem.delete(directory, false));
    } catch (IOException e) {
      throw StoreFailures.undeleted(directory, e);
    }
  }

  /** A directory and its parents, as far as they do not exist, deepest first. */
  List<Path> missing(Path directory) throws IOException {
    return retry.call(() -> missingNow(directory));
  }

  private List<Path> missingNow(Path directory) throws IOException {
    List<Path> missing = new ArrayList<>();
    for (Path at = directory; at != null && !fileSystem.exists(at); at = at.getParent()) {
      missing.add(at);
    }
    return missing;
  }
}
