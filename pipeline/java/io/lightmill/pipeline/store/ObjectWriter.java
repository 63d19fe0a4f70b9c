package io.lightmill.pipeline.store;

import java.io.IOException;
import java.util.Set;
import java.util.UUID;
import org.apache.hadoop.fs.CommonPathCapabilities;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FSDataOutputStreamBuilder;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Options;
import org.apache.hadoop.fs.Path;

/** A way of writing an object so that it appears under its name whole or not at all. */
sealed interface ObjectWriter {

  /** Object stores whose connectors publish on close, yet tell so by no capability. */
  Set<String> PUBLISHING_ON_CLOSE = Set.of("gs", "oss", "cosn", "obs");

  /** Replaces what stands at the path; after an exception nothing new does. */
  void write(Path path, byte[] bytes, String contentType) throws IOException;

  /** The way that suits a file system. */
  static ObjectWriter of(FileSystem fileSystem, Path root) throws IOException {
    boolean publishesOnClose =
        fileSystem.hasPathCapability(root, CommonPathCapabilities.ABORTABLE_STREAM)
            || PUBLISHING_ON_CLOSE.contains(fileSystem.getUri().getScheme());
    return publishesOnClose ? new OnePut(fileSystem) : new TemporaryFile(fileSystem);
  }

  /**
   * For object stores, where an object appears when its stream is closed: one PUT. A stream that
   * failed is aborted, or left open where it cannot be: closing it would publish half an object.
   */
  record OnePut(FileSystem fileSystem) implements ObjectWriter {

    /** S3A: skips the look-ups that a PUT does not need. */
    private static final String S3A_CREATE_PERFORMANCE = "fs.s3a.create.performance";

    @Override
    public void write(Path path, byte[] bytes, String contentType) throws IOException {
      FSDataOutputStreamBuilder<?, ?> create = fileSystem.createFile(path);
      create.recursive().overwrite(true);
      create.opt(Options.CreateFileOptionKeys.FS_OPTION_CREATE_CONTENT_TYPE, contentType);
      create.opt(S3A_CREATE_PERFORMANCE, true);
      FSDataOutputStream out = create.build();
      boolean written = false;
      try {
        out.write(bytes);
        written = true;
      } finally {
        if (!written && out.hasCapability(CommonPathCapabilities.ABORTABLE_STREAM)) {
          out.abort();
        }
      }
      out.close();
    }
  }

  /**
   * For file systems that show files while they grow: a hidden file beside the target, renamed when
   * it is whole. Readers of the directory, Spark among them, pass over names with a leading dot.
   */
  record TemporaryFile(FileSystem fileSystem) implements ObjectWriter {

    @Override
    public void write(Path path, byte[] bytes, String contentType) throws IOException {
      Path temporary = new Path(path.getParent(), ".%s.tmp".formatted(UUID.randomUUID()));
      try {
        writeAll(temporary, bytes);
        rename(temporary, path);
      } catch (IOException | RuntimeException e) {
        deleteAfter(e, temporary);
        throw e;
      }
    }

    private void writeAll(Path temporary, byte[] bytes) throws IOException {
      FSDataOutputStreamBuilder<?, ?> create = fileSystem.createFile(temporary);
      create.recursive().overwrite(true);
      try (FSDataOutputStream out = create.build()) {
        out.write(bytes);
      }
    }

    private void rename(Path temporary, Path path) throws IOException {
      if (renamed(temporary, path)) {
        return;
      }
      fileSystem.delete(path, false); // HDFS, unlike POSIX, renames onto nothing that exists
      if (!renamed(temporary, path)) {
        throw new IOException("Could not rename %s to %s".formatted(temporary, path));
      }
    }

    private boolean renamed(Path temporary, Path path) throws IOException {
      try {
        return fileSystem.rename(temporary, path);
      } catch (FileAlreadyExistsException e) {
        return false;
      }
    }

    private void deleteAfter(Exception failure, Path temporary) {
      try {
        fileSystem.delete(temporary, false);
      } catch (IOException e) {
        failure.addSuppressed(e);
      }
    }
  }
}
