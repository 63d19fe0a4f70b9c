package io.lightmill.pipeline.store;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Predicate;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumFileSystem;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Image objects below one root of any Hadoop file system. An object appears under its key whole or
 * not at all, whatever fails meanwhile. Safe for many threads, tasks and hosts at once.
 */
public final class ImageStore {

  /** Of two who store an object at once, each needs two tries at most. */
  private static final int MOST_TRIES = 8;

  private final FileSystem fileSystem;
  private final Path root;
  private final ObjectWriter writer;

  ImageStore(FileSystem fileSystem, Path root) throws IOException {
    this.fileSystem = withoutChecksumFiles(fileSystem);
    this.root = this.fileSystem.makeQualified(root);
    this.writer = ObjectWriter.of(this.fileSystem, this.root);
  }

  /**
   * Opens the store below a root, which need not exist yet.
   *
   * @param root a directory: a path, or a URI such as {@code s3a://bucket/catalogue}
   * @throws LightmillException (OUTPUT_UNWRITABLE) where no such file system can be reached
   */
  public static ImageStore open(String root, Configuration configuration) {
    try {
      Path path = new Path(root);
      return new ImageStore(StoreFileSystems.of(path, configuration), path);
    } catch (IOException | IllegalArgumentException e) {
      throw unwritable(root, e);
    }
  }

  /**
   * Stores one object, and replaces any that has this key.
   *
   * @param key below the root, as a {@link PathTemplate} makes them
   * @param contentType kept by stores that know of it
   * @throws LightmillException (STORE_FAILED) where the object could not be stored; none of it is
   *     left
   */
  public StoredObject put(String key, byte[] bytes, String contentType) {
    Path path = path(key);
    try {
      writer.write(path, bytes, contentType);
      return stored(path, bytes);
    } catch (IOException e) {
      throw unstored(path, e);
    }
  }

  /**
   * Stores one object where nothing stands. Of several that try at once, on any hosts, one
   * succeeds.
   *
   * @return empty where something else stands, which stays
   * @throws LightmillException as {@link #put}
   */
  public Optional<StoredObject> create(String key, byte[] bytes, String contentType) {
    Path path = path(key);
    try {
      boolean ours = writer.create(path, bytes, contentType) || answerWasLost(path, bytes);
      return ours ? Optional.of(stored(path, bytes)) : Optional.empty();
    } catch (IOException e) {
      throw unstored(path, e);
    }
  }

  /**
   * Stores one object, unless an equivalent one stands under its key: then that one stays. So those
   * who store the same thing at once, or once more after a lost answer, agree on what is there.
   *
   * @param equivalent whether an object that stands may stay in the place of this one
   * @return the object that stands
   * @throws LightmillException as {@link #put}
   */
  public StoredObject putOnce(
      String key, byte[] bytes, String contentType, Predicate<FoundObject> equivalent) {
    Path path = path(key);
    try {
      for (int tries = 0; !writer.create(path, bytes, contentType); tries++) {
        if (tries == MOST_TRIES) {
          throw new IOException("others keep writing it");
        }
        Optional<Standing> standing = standing(path);
        if (standing.isPresent()) {
          FoundObject found = standing.get().found();
          if (Arrays.equals(found.bytes(), bytes) || equivalent.test(found)) {
            return stored(path, found.bytes());
          }
          if (writer.replace(standing.get().status(), bytes, contentType)) {
            break;
          }
        }
      }
      return stored(path, bytes);
    } catch (IOException e) {
      throw unstored(path, e);
    }
  }

  /** An object, and how the file system knew it before its bytes were read. */
  private record Standing(FileStatus status, FoundObject found) {}

  private Optional<Standing> standing(Path path) throws IOException {
    try {
      FileStatus status = fileSystem.getFileStatus(path);
      try (FSDataInputStream in = fileSystem.open(path)) {
        return Optional.of(
            new Standing(
                status,
                new FoundObject(
                    in.readAllBytes(), Instant.ofEpochMilli(status.getModificationTime()))));
      }
    } catch (FileNotFoundException e) {
      return Optional.empty();
    }
  }

  private boolean answerWasLost(Path path, byte[] bytes) throws IOException {
    return standing(path).filter(it -> Arrays.equals(it.found().bytes(), bytes)).isPresent();
  }

  private static StoredObject stored(Path path, byte[] bytes) {
    return new StoredObject(path.toString(), bytes.length, DigestUtils.sha256Hex(bytes));
  }

  /** The object that has this key. */
  public Optional<FoundObject> find(String key) {
    Path path = path(key);
    try {
      return standing(path).map(Standing::found);
    } catch (IOException e) {
      throw unreadable(path, e);
    }
  }

  /** Removes the object that has this key, if there is one. */
  public void delete(String key) {
    Path path = path(key);
    try {
      fileSystem.delete(path, false);
    } catch (IOException e) {
      throw unstored(path, e);
    }
  }

  /** What stands below the root. */
  public ObjectListing listing() {
    return new ObjectListing(fileSystem, root, writer instanceof ObjectWriter.OnePut);
  }

  /** Whether an object has this key. */
  public boolean exists(String key) {
    Path path = path(key);
    try {
      return fileSystem.exists(path);
    } catch (IOException e) {
      throw unreadable(path, e);
    }
  }

  /** The bytes of the object that has this key. */
  public Optional<byte[]> read(String key) {
    Path path = path(key);
    try (FSDataInputStream in = fileSystem.open(path)) {
      return Optional.of(in.readAllBytes());
    } catch (FileNotFoundException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw unreadable(path, e);
    }
  }

  /**
   * Makes sure, before any image is paid for, that objects can be stored: writes a small one and
   * deletes it, along with the directories that it needed.
   *
   * @return the time by the store's clock, which dates objects
   * @throws LightmillException (OUTPUT_UNWRITABLE) where they cannot
   */
  public Instant probeWritable() {
    Path probe = new Path(root, ".lightmill-probe-" + UUID.randomUUID());
    try {
      Runnable tidying = tidying();
      writer.write(probe, new byte[1], "application/octet-stream");
      Instant now = Instant.ofEpochMilli(fileSystem.getFileStatus(probe).getModificationTime());
      fileSystem.delete(probe, false);
      tidying.run();
      return now;
    } catch (IOException e) {
      throw unwritable(root.toString(), e);
    }
  }

  /**
   * Remembers which directories, the root and those above it, are not there yet. Running the result
   * removes those that are there then and hold nothing.
   */
  public Runnable tidying() {
    try {
      List<Path> missing = missing(root);
      return () -> missing.forEach(this::deleteIfEmpty);
    } catch (IOException e) {
      throw unwritable(root.toString(), e);
    }
  }

  /**
   * Removes a directory that holds nothing.
   *
   * @param directory a key
   */
  public void deleteIfEmpty(String directory) {
    deleteIfEmpty(path(directory));
  }

  private void deleteIfEmpty(Path directory) {
    try {
      if (fileSystem.exists(directory) && fileSystem.listStatus(directory).length == 0) {
        fileSystem.delete(directory, false);
      }
    } catch (IOException e) {
      throw unstored(directory, e);
    }
  }

  /** The directory and its parents that are not there, the deepest first. */
  private List<Path> missing(Path directory) throws IOException {
    List<Path> missing = new ArrayList<>();
    for (Path at = directory; at != null && !fileSystem.exists(at); at = at.getParent()) {
      missing.add(at);
    }
    return missing;
  }

  private Path path(String key) {
    Path path = new Path(root, key);
    String below = root.toString().endsWith("/") ? root.toString() : root + "/";
    if (!path.toString().startsWith(below)) {
      throw new IllegalArgumentException("Key '%s' leads out of %s".formatted(key, root));
    }
    return path;
  }

  /** The local file system would put a {@code .crc} file beside each image. */
  private static FileSystem withoutChecksumFiles(FileSystem fileSystem) {
    return fileSystem instanceof ChecksumFileSystem checksums
        ? checksums.getRawFileSystem()
        : fileSystem;
  }

  private static LightmillException unwritable(String root, Exception e) {
    return new LightmillException(
        ErrorCode.OUTPUT_UNWRITABLE,
        ("Output %s cannot be written: %s. Name a directory that this user may write, or mend its "
                + "permissions, credentials or endpoint.")
            .formatted(root, e),
        e);
  }

  private static LightmillException unstored(Path path, IOException e) {
    return new LightmillException(
        ErrorCode.STORE_FAILED,
        "Object %s could not be stored: %s. Mend that and run again; finished images are kept."
            .formatted(path, e),
        e);
  }

  static LightmillException unreadable(Path path, IOException e) {
    return new LightmillException(
        ErrorCode.STORE_FAILED,
        "Object %s could not be read back: %s. Mend its permissions or credentials and run again."
            .formatted(path, e),
        e);
  }
}
