package io.lightmill.pipeline.store;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;

/** What stands below the root of a store. A directory that is not there holds nothing. */
public final class ObjectListing {

  private final FileSystem fileSystem;
  private final Path root;

  ObjectListing(FileSystem fileSystem, Path root) {
    this.fileSystem = fileSystem;
    this.root = root;
  }

  /**
   * All objects below a directory but hidden ones, in no order: on object stores one call for a
   * thousand of them.
   *
   * @param directory a key
   */
  public List<ListedObject> objects(String directory) {
    Path path = new Path(root, directory);
    try {
      List<ListedObject> listed = new ArrayList<>();
      RemoteIterator<LocatedFileStatus> files = fileSystem.listFiles(path, true);
      while (files.hasNext()) {
        FileStatus file = files.next();
        if (!file.getPath().getName().startsWith(".")) {
          listed.add(
              new ListedObject(
                  key(file), file.getLen(), Instant.ofEpochMilli(file.getModificationTime())));
        }
      }
      return listed;
    } catch (FileNotFoundException e) {
      return List.of();
    } catch (IOException e) {
      throw ImageStore.unreadable(path, e);
    }
  }

  /**
   * The keys of what stands right below a directory, objects and directories, sorted.
   *
   * @param directory a key
   */
  public List<String> children(String directory) {
    Path path = new Path(root, directory);
    try {
      return Arrays.stream(fileSystem.listStatus(path)).map(this::key).sorted().toList();
    } catch (FileNotFoundException e) {
      return List.of();
    } catch (IOException e) {
      throw ImageStore.unreadable(path, e);
    }
  }

  private String key(FileStatus file) {
    return root.toUri().relativize(file.getPath().toUri()).getPath();
  }
}
