package io.lightmill.udfs.store;

import io.lightmill.pipeline.LightmillException;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.time.Clock;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Options;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.util.functional.FutureIO;

/**
 * Image objects below one root on any Hadoop file system. An object appears under its key either
 * complete or not at all, whatever fails. Safe for concurrent use by threads, tasks and hosts.
 */
public final class ImageStore {

  private final FileSystem fileSystem;
  private final Path root;
  private final ObjectWriter writer;
  private final ConditionalWrites conditional;
  private final StoreRetry retry;

  ImageStore(FileSystem fileSystem, Path root) throws IOException {
    this.fileSystem =
        fileSystem instanceof LocalFileSystem ? LocalDisk.of(fileSystem.getConf()) : fileSystem;
    this.root = this.fileSystem.makeQualified(root);
    this.writer = ObjectWriter.of(this.fileSystem, this.root);
    this.conditional = new ConditionalWrites(this.fileSystem, writer);
    this.retry = StoreRetry.of(this.root.toUri(), fileSystem.getConf());
  }

  private ImageStore(ImageStore store, StoreRetry retry) {
    this.fileSystem = store.fileSystem;
    this.root = store.root;
    this.writer = store.writer;
    this.conditional = store.conditional;
    this.retry = retry;
  }

  /**
   * Opens the store below a root, which need not exist.
   *
   * @param root a directory: a path, or a URI such as {@code s3a://bucket/catalogue}
   * @throws LightmillException (OUTPUT_UNWRITABLE) if the file system cannot be reached
   */
  public static ImageStore open(String root, Configuration configuration) {
    try {
      Path path = new Path(root);
      return new ImageStore(StoreFileSystems.of(path, configuration), path);
    } catch (IOException | IllegalArgumentException e) {
      throw StoreFailures.unwritable(root, e);
    }
  }

  /** How calls of this store are repeated. */
  public StoreRetry retry() {
    return retry;
  }

  /** The same store for a caller that repeats its calls itself. */
  public ImageStore withoutRetry() {
    return new ImageStore(this, StoreRetry.NONE);
  }

  /**
   * Stores one object and replaces any existing object with this key.
   *
   * @param key relative to the root, such as those of {@link PathTemplate}
   * @param contentType stored if the store supports it
   * @throws LightmillException (STORE_FAILED) if the object cannot be stored; no part of it remains
   */
  public StoredObject put(String key, byte[] bytes, String contentType) {
    Path path = path(key);
    try {
      retry.call(
          () -> {
            writer.write(path, ObjectBody.of(bytes), contentType);
            return null;
          });
      return stored(path, bytes);
    } catch (IOException e) {
      throw StoreFailures.unstored(path, e);
    }
  }

  /**
   * Streams one object to its key and replaces any existing object with this key.
   *
   * @throws LightmillException as {@link #put(String, byte[], String)}
   */
  public void put(String key, ObjectBody body, String contentType) {
    Path path = path(key);
    try {
      retry.call(
          () -> {
            writer.write(path, body, contentType);
            return path;
          });
    } catch (IOException e) {
      throw StoreFailures.unstored(path, e);
    }
  }

  /**
   * Stores one object if its key is free. Of several concurrent writers on any hosts, one succeeds.
   *
   * @return empty if another object has this key; that object is kept
   * @throws LightmillException as {@link #put(String, byte[], String)}
   */
  public Optional<StoredObject> create(String key, byte[] bytes, String contentType) {
    Path path = path(key);
    try {
      boolean created = retry.call(() -> conditional.create(path, bytes, contentType));
      return created ? Optional.of(stored(path, bytes)) : Optional.empty();
    } catch (IOException e) {
      throw StoreFailures.unstored(path, e);
    }
  }

  /**
   * Streams one object to its key if the key is free. An existing object of the same length counts
   * as the same object, so the key should identify the content. If the body throws, partial output
   * is discarded.
   *
   * @return its length
   * @throws LightmillException as {@link #put(String, byte[], String)}, and if an object of another
   *     length has this key
   */
  public long create(String key, ObjectBody body, String contentType) {
    Path path = path(key);
    try {
      return retry.call(() -> conditional.create(path, new CountedBody(body), contentType));
    } catch (IOException e) {
      throw StoreFailures.unstored(path, e);
    }
  }

  /**
   * Stores one object unless an equivalent one has its key, which is kept. So concurrent writers of
   * the same image, and a retry after a lost response, agree on the stored object.
   *
   * @param equivalent whether an existing object may be kept instead of this one
   * @return the object in the store
   * @throws LightmillException as {@link #put(String, byte[], String)}
   */
  public StoredObject putOnce(
      String key, byte[] bytes, String contentType, Predicate<FoundObject> equivalent) {
    Path path = path(key);
    try {
      byte[] kept =
          retry.call(() -> conditional.createOrKeep(path, bytes, contentType, equivalent));
      return stored(path, kept);
    } catch (IOException e) {
      throw StoreFailures.unstored(path, e);
    }
  }

  private static StoredObject stored(Path path, byte[] bytes) {
    return new StoredObject(path.toString(), bytes.length, DigestUtils.sha256Hex(bytes));
  }

  /** The object with this key. */
  public Optional<FoundObject> find(String key) {
    Path path = path(key);
    try {
      return retry.call(() -> conditional.find(path));
    } catch (IOException e) {
      throw StoreFailures.unreadable(path, e);
    }
  }

  /**
   * The bytes of the object with this key, in one call to the store.
   *
   * @param length that the object should have; of a longer object, the bytes may be cut
   */
  public Optional<byte[]> read(String key, long length) {
    Path path = path(key);
    try {
      return Optional.of(
          retry.call(
              () -> {
                try (FSDataInputStream in = FutureIO.awaitFuture(opened(path, length))) {
                  return in.readAllBytes();
                }
              }));
    } catch (FileNotFoundException e) {
      return Optional.empty();
    } catch (EOFException e) { // the object is shorter
      return read(key);
    } catch (IOException e) {
      throw StoreFailures.unreadable(path, e);
    }
  }

  private CompletableFuture<FSDataInputStream> opened(Path path, long length) throws IOException {
    return fileSystem
        .openFile(path)
        .opt(Options.OpenFileOptions.FS_OPTION_OPENFILE_LENGTH, Long.toString(length))
        .opt(
            Options.OpenFileOptions.FS_OPTION_OPENFILE_READ_POLICY,
            Options.OpenFileOptions.FS_OPTION_OPENFILE_READ_POLICY_WHOLE_FILE)
        .build();
  }

  /** Opens the object with this key for reading at any position. */
  public Optional<OpenObject> open(String key) {
    Path path = path(key);
    try {
      return Optional.of(
          retry.call(
              () -> {
                long bytes = fileSystem.getFileStatus(path).getLen();
                return new OpenObject(fileSystem.open(path), bytes);
              }));
    } catch (FileNotFoundException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw StoreFailures.unreadable(path, e);
    }
  }

  /** Deletes the object with this key, if it exists. */
  public void delete(String key) {
    Path path = path(key);
    try {
      retry.call(() -> fileSystem.delete(path, false));
    } catch (IOException e) {
      throw StoreFailures.undeleted(path, e);
    }
  }

  /** Lists objects below the root. */
  public ObjectListing listing() {
    return new ObjectListing(fileSystem, root, writer instanceof ObjectWriter.OnePut, retry);
  }

  /** Deletes many objects, and directories. */
  public ObjectRemoval removal() {
    return new ObjectRemoval(fileSystem, root, writer instanceof ObjectWriter.OnePut, retry);
  }

  /** The bytes of the object with this key. */
  public Optional<byte[]> read(String key) {
    return find(key).map(FoundObject::bytes);
  }

  /**
   * Checks, before any image is generated, that objects can be stored: {@link WriteProbe}.
   *
   * @param clock of this host
   * @throws LightmillException (OUTPUT_UNWRITABLE) if objects cannot be stored, (STORE_UNAVAILABLE)
   *     if the store does not respond
   */
  public StoreTime probeWritable(Clock clock) {
    return new WriteProbe(fileSystem, root, writer).at(clock);
  }

  /**
   * Records which of the root and its parents do not exist yet. The returned action deletes those
   * of them that exist by then and are empty.
   */
  public Runnable tidying() {
    return new WriteProbe(fileSystem, root, writer).tidying(removal());
  }

  /** Waits until the store responds. Makes no call to a local disk. */
  public void await() {
    try {
      if (retry != StoreRetry.NONE) {
        retry.call(() -> fileSystem.exists(root));
      }
    } catch (IOException e) {
      throw StoreFailures.unreadable(root, e);
    }
  }

  /**
   * Deletes a directory if it is empty.
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
      throw new IllegalArgumentException("the key '%s' is outside %s".formatted(key, root));
    }
    return path;
  }
}
