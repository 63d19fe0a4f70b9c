package io.lightmill.udfs.store;

import io.lightmill.pipeline.LightmillException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Predicate;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
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
    this.fileSystem =
        fileSystem instanceof LocalFileSystem ? LocalDisk.of(fileSystem.getConf()) : fileSystem;
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
      throw StoreFailures.unwritable(root, e);
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
      writer.write(path, ObjectBody.of(bytes), contentType);
      return stored(path, bytes);
    } catch (IOException e) {
      throw StoreFailures.unstored(path, e);
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
      boolean ours =
          writer.create(path, ObjectBody.of(bytes), contentType) || answerWasLost(path, bytes);
      return ours ? Optional.of(stored(path, bytes)) : Optional.empty();
    } catch (IOException e) {
      throw StoreFailures.unstored(path, e);
    }
  }

  /**
   * Stores one object as its bytes come, where nothing stands. One that stands and is as long is
   * taken for the same: so the key should tell of the content. What of it was written when the body
   * throws is discarded.
   *
   * @return its length
   * @throws LightmillException as {@link #put}, and where something of another length stands
   */
  public long create(String key, ObjectBody body, String contentType) {
    Path path = path(key);
    CountedBody counted = new CountedBody(body);
    try {
      if (!writer.create(path, counted, contentType) && !stands(path, counted.bytes())) {
        throw new IOException("something else stands there");
      }
      return counted.bytes();
    } catch (IOException e) {
      if (counted.whole() && stands(path, counted.bytes())) { // only the answer was lost
        return counted.bytes();
      }
      throw StoreFailures.unstored(path, e);
    }
  }

  private boolean stands(Path path, long bytes) {
    try {
      return fileSystem.getFileStatus(path).getLen() == bytes;
    } catch (FileNotFoundException e) {
      return false;
    } catch (IOException e) {
      throw StoreFailures.unreadable(path, e);
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
      ObjectBody body = ObjectBody.of(bytes);
      for (int tries = 0; !writer.create(path, body, contentType); tries++) {
        if (tries == MOST_TRIES) {
          throw new IOException("others keep writing it");
        }
        Optional<Standing> standing = standing(path);
        if (standing.isPresent()) {
          FoundObject found = standing.get().found();
          if (Arrays.equals(found.bytes(), bytes) || equivalent.test(found)) {
            return stored(path, found.bytes());
          }
          if (writer.replace(standing.get().status(), body, contentType)) {
            break;
          }
        }
      }
      return stored(path, bytes);
    } catch (IOException e) {
      throw StoreFailures.unstored(path, e);
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
      throw StoreFailures.unreadable(path, e);
    }
  }

  /** Opens the object that has this key, to read any of its bytes. */
  public Optional<OpenObject> open(String key) {
    Path path = path(key);
    try {
      long bytes = fileSystem.getFileStatus(path).getLen();
      return Optional.of(new OpenObject(fileSystem.open(path), bytes));
    } catch (FileNotFoundException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw StoreFailures.unreadable(path, e);
    }
  }

  /** Removes the object that has this key, if there is one. */
  public void delete(String key) {
    Path path = path(key);
    try {
      fileSystem.delete(path, false);
    } catch (IOException e) {
      throw StoreFailures.unstored(path, e);
    }
  }

  /** What stands below the root. */
  public ObjectListing listing() {
    return new ObjectListing(fileSystem, root, writer instanceof ObjectWriter.OnePut);
  }

  /** Takes away many objects, and what held them. */
  public ObjectRemoval removal() {
    return new ObjectRemoval(fileSystem, root, writer instanceof ObjectWriter.OnePut);
  }

  /** Whether an object has this key. */
  public boolean exists(String key) {
    Path path = path(key);
    try {
      return fileSystem.exists(path);
    } catch (IOException e) {
      throw StoreFailures.unreadable(path, e);
    }
  }

  /** The bytes of the object that has this key. */
  public Optional<byte[]> read(String key) {
    return find(key).map(FoundObject::bytes);
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
      writer.write(probe, ObjectBody.of(new byte[1]), "application/octet-stream");
      Instant now = Instant.ofEpochMilli(fileSystem.getFileStatus(probe).getModificationTime());
      fileSystem.delete(probe, false);
      tidying.run();
      return now;
    } catch (IOException e) {
      throw StoreFailures.unwritable(root.toString(), e);
    }
  }

  /**
   * Remembers which directories, the root and those above it, are not there yet. Running the result
   * removes those that are there then and hold nothing.
   */
  public Runnable tidying() {
    try {
      List<Path> missing = removal().missing(root);
      return () -> missing.forEach(removal()::ifEmpty);
    } catch (IOException e) {
      throw StoreFailures.unwritable(root.toString(), e);
    }
  }

  /**
   * Removes a directory that holds nothing.
   *
   * @param directory a key
   */
  public void deleteIfEmpty(String directory) {
    removal().ifEmpty(path(directory));
  }

  private Path path(String key) {
    Path path = new Path(root, key);
    String below = root.toString().endsWith("/") ? root.toString() : root + "/";
    if (!path.toString().startsWith(below)) {
      throw new IllegalArgumentException("Key '%s' leads out of %s".formatted(key, root));
    }
    return path;
  }
}
