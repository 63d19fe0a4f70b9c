package io.lightmill.pipeline.store;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumFileSystem;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Image objects below one root of any Hadoop file system. An object appears under its key whole or
 * not at all, whatever fails meanwhile. Safe for many threads, tasks and hosts at once.
 */
public final class ImageStore {

  private static final String S3A_INTERCEPTORS = "fs.s3a.audit.execution.interceptors";

  /** Of {@link S3ContentType}, which loads only where the AWS SDK is. */
  private static final String S3_CONTENT_TYPE = "io.lightmill.pipeline.store.S3ContentType";

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
      return new ImageStore(path.getFileSystem(keepingContentTypes(configuration)), path);
    } catch (IOException | IllegalArgumentException e) {
      throw unwritable(root, e);
    }
  }

  /**
   * Stores one object, and replaces any that has this key: equal keys mean equal images.
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
    } catch (IOException e) {
      throw new LightmillException(
          ErrorCode.STORE_FAILED,
          "Image %s could not be stored: %s. Mend that and run again; finished images are kept."
              .formatted(path, e),
          e);
    }
    return new StoredObject(path.toString(), bytes.length, DigestUtils.sha256Hex(bytes));
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
   * @throws LightmillException (OUTPUT_UNWRITABLE) where they cannot
   */
  public void probeWritable() {
    Path probe = new Path(root, ".lightmill-probe-" + UUID.randomUUID());
    try {
      List<Path> missing = missing(root);
      writer.write(probe, new byte[1], "application/octet-stream");
      fileSystem.delete(probe, false);
      for (Path directory : missing) {
        if (fileSystem.exists(directory) && fileSystem.listStatus(directory).length == 0) {
          fileSystem.delete(directory, false);
        }
      }
    } catch (IOException e) {
      throw unwritable(root.toString(), e);
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

  /** Takes effect unless this JVM has a file system of the same bucket already. */
  private static Configuration keepingContentTypes(Configuration configuration) {
    Configuration own = new Configuration(configuration);
    own.setClassLoader(ImageStore.class.getClassLoader());
    Set<String> interceptors =
        new LinkedHashSet<>(own.getTrimmedStringCollection(S3A_INTERCEPTORS));
    interceptors.add(S3_CONTENT_TYPE);
    own.setStrings(S3A_INTERCEPTORS, interceptors.toArray(String[]::new));
    return own;
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

  private static LightmillException unreadable(Path path, IOException e) {
    return new LightmillException(
        ErrorCode.STORE_FAILED,
        "Image %s could not be read back: %s. Mend its permissions or credentials and run again."
            .formatted(path, e),
        e);
  }
}
