package io.lightmill.udfs.store;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;

/** Lists objects below the root of a store. A missing directory counts as empty. */
public final class ObjectListing {

  /** The names of {@link ObjectWriter.TemporaryFile}. */
  private static final Pattern TEMPORARY = Pattern.compile("\\.[0-9a-f-]{36}\\.tmp");

  private final FileSystem fileSystem;
  private final Path root;
  private final boolean flat;
  private final StoreRetry retry;

  /**
   * @param flat whether the store has no directories and lists a tree in one call
   */
  ObjectListing(FileSystem fileSystem, Path root, boolean flat, StoreRetry retry) {
    this.fileSystem = fileSystem;
    this.root = root;
    this.flat = flat;
    this.retry = retry;
  }

  /**
   * All objects in the tree below a directory except hidden ones, in no order. Object stores list a
   * thousand objects per call.
   *
   * @param directory a key
   */
  public List<ListedObject> objects(String directory) {
    return all(directory).stream().filter(object -> !hidden(object)).toList();
  }

  /**
   * The keys of hidden objects in the tree below a directory: temporary files, which remain if
   * their writer is killed. Object stores have none.
   *
   * @param directory a key
   */
  public List<String> temporaries(String directory) {
    return flat
        ? List.of()
        : all(directory).stream().filter(ObjectListing::hidden).map(ListedObject::key).toList();
  }

  /**
   * The keys of temporary files directly below the root, which remain if their writer is killed.
   *
   * @param before only files that have not been modified since
   */
  public List<String> temporariesOfRoot(Instant before) {
    if (flat) {
      return List.of();
    }
    try {
      return Arrays.stream(fileSystem.listStatus(root))
          .filter(file -> TEMPORARY.matcher(file.getPath().getName()).matches())
          .filter(file -> file.getModificationTime() < before.toEpochMilli())
          .map(this::key)
          .toList();
    } catch (IOException e) {
      throw StoreFailures.unreadable(root, e);
    }
  }

  private static boolean hidden(ListedObject object) {
    return object.key().startsWith(".", object.key().lastIndexOf('/') + 1);
  }

  private List<ListedObject> all(String directory) {
    Path path = new Path(root, directory);
    try {
      return retry.call(() -> listed(path));
    } catch (FileNotFoundException e) {
      return List.of();
    } catch (IOException e) {
      throw StoreFailures.unreadable(path, e);
    }
  }

  private List<ListedObject> listed(Path path) throws IOException {
    List<ListedObject> listed = new ArrayList<>();
    if (flat) {
      RemoteIterator<LocatedFileStatus> files = fileSystem.listFiles(path, true);
      while (files.hasNext()) {
        add(files.next(), listed);
      }
    } else {
      walk(path, listed);
    }
    return listed;
  }

  /** Hadoop's own recursive listing starts a process for each local file, to find its owner. */
  private void walk(Path directory, List<ListedObject> listed) throws IOException {
    for (FileStatus child : fileSystem.listStatus(directory)) {
      if (child.isDirectory()) {
        walk(child.getPath(), listed);
      } else {
        add(child, listed);
      }
    }
  }

  private void add(FileStatus file, List<ListedObject> listed) {
    listed.add(
        new ListedObject(
            key(file), file.getLen(), Instant.ofEpochMilli(file.getModificationTime())));
  }

  /**
   * The keys of the direct children of a directory, objects and directories, sorted.
   *
   * @param directory a key
   */
  public List<String> children(String directory) {
    Path path = new Path(root, directory);
    try {
      FileStatus[] children = retry.call(() -> fileSystem.listStatus(path));
      return Arrays.stream(children).map(this::key).sorted().toList();
    } catch (FileNotFoundException e) {
      return List.of();
    } catch (IOException e) {
      throw StoreFailures.unreadable(path, e);
    }
  }

  /**
   * The keys of the first direct children of a directory, in no order.
   *
   * @param directory a key
   * @param most number of keys
   */
  public List<String> children(String directory, int most) {
    Path path = new Path(root, directory);
    try {
      return retry.call(() -> firstChildren(path, most));
    } catch (FileNotFoundException e) {
      return List.of();
    } catch (IOException e) {
      throw StoreFailures.unreadable(path, e);
    }
  }

  private List<String> firstChildren(Path directory, int most) throws IOException {
    List<String> keys = new ArrayList<>();
    RemoteIterator<FileStatus> children = fileSystem.listStatusIterator(directory);
    while (keys.size() < most && children.hasNext()) {
      keys.add(key(children.next()));
    }
    return keys;
  }

  private String key(FileStatus file) {
    return root.toUri().relativize(file.getPath().toUri()).getPath();
  }
}
