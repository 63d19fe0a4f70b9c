package io.lightmill.udfs.store;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.util.Set;
import java.util.UUID;
import org.apache.hadoop.fs.CommonPathCapabilities;
import org.apache.hadoop.fs.EtagSource;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FSDataOutputStreamBuilder;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Options;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.PathIsDirectoryException;

/** Writes objects so that each appears under its name either complete or not at all. */
sealed interface ObjectWriter {

  /** Object stores whose connectors publish on close but do not declare that capability. */
  Set<String> PUBLISHING_ON_CLOSE = Set.of("gs", "oss", "cosn", "obs");

  /** Writes the object and replaces any existing one; after an exception nothing has changed. */
  void write(Path path, ObjectBody body, String contentType) throws IOException;

  /**
   * Writes the object if none exists; of several concurrent writers, one succeeds. After a lost
   * response the object may have been written although this returns false.
   *
   * @return false if an object exists, which is kept
   */
  boolean create(Path path, ObjectBody body, String contentType) throws IOException;

  /**
   * Replaces an object whose status was read before; if the store supports it, only if the object
   * has not changed since.
   *
   * @return false if it has changed
   */
  boolean replace(FileStatus seen, ObjectBody body, String contentType) throws IOException;

  /** The writer for a file system. */
  static ObjectWriter of(FileSystem fileSystem, Path root) throws IOException {
    boolean publishesOnClose =
        fileSystem.hasPathCapability(root, CommonPathCapabilities.ABORTABLE_STREAM)
            || PUBLISHING_ON_CLOSE.contains(fileSystem.getUri().getScheme());
    return publishesOnClose
        ? new OnePut(
            fileSystem,
            fileSystem.hasPathCapability(
                root, Options.CreateFileOptionKeys.FS_OPTION_CREATE_CONDITIONAL_OVERWRITE),
            fileSystem.hasPathCapability(
                root, Options.CreateFileOptionKeys.FS_OPTION_CREATE_CONDITIONAL_OVERWRITE_ETAG))
        : new TemporaryFile(fileSystem);
  }

  /**
   * For object stores, where an object appears when its stream is closed: one PUT. A failed stream
   * is aborted, or left open if it cannot be aborted, since closing it would publish a partial
   * object.
   *
   * @param ifNoneMatch whether a PUT can be conditional on the absence of the object
   * @param ifMatch whether a PUT can be conditional on the object's ETag
   */
  record OnePut(FileSystem fileSystem, boolean ifNoneMatch, boolean ifMatch)
      implements ObjectWriter {

    /** S3A: skips checks that a PUT does not need. */
    private static final String S3A_CREATE_PERFORMANCE = "fs.s3a.create.performance";

    /** S3A's exception for the response 412, a failed condition. */
    private static final String CHANGED = "RemoteFileChangedException";

    @Override
    public void write(Path path, ObjectBody body, String contentType) throws IOException {
      put(builder(path, contentType).overwrite(true), body);
    }

    @Override
    public boolean create(Path path, ObjectBody body, String contentType) throws IOException {
      FSDataOutputStreamBuilder<?, ?> create = builder(path, contentType).overwrite(ifNoneMatch);
      if (ifNoneMatch) {
        create.opt(Options.CreateFileOptionKeys.FS_OPTION_CREATE_CONDITIONAL_OVERWRITE, true);
      }
      return conditional(create, body);
    }

    @Override
    public boolean replace(FileStatus seen, ObjectBody body, String contentType)
        throws IOException {
      FSDataOutputStreamBuilder<?, ?> create = builder(seen.getPath(), contentType).overwrite(true);
      if (ifMatch && seen instanceof EtagSource tagged && tagged.getEtag() != null) {
        create.must(
            Options.CreateFileOptionKeys.FS_OPTION_CREATE_CONDITIONAL_OVERWRITE_ETAG,
            tagged.getEtag());
      }
      return conditional(create, body);
    }

    private FSDataOutputStreamBuilder<?, ?> builder(Path path, String contentType) {
      FSDataOutputStreamBuilder<?, ?> create = fileSystem.createFile(path);
      create.recursive();
      create.opt(Options.CreateFileOptionKeys.FS_OPTION_CREATE_CONTENT_TYPE, contentType);
      create.opt(S3A_CREATE_PERFORMANCE, true);
      return create;
    }

    private static boolean conditional(FSDataOutputStreamBuilder<?, ?> create, ObjectBody body)
        throws IOException {
      try {
        put(create, body);
        return true;
      } catch (FileAlreadyExistsException e) {
        return false;
      } catch (IOException e) {
        if (e.getClass().getSimpleName().equals(CHANGED)) {
          return false;
        }
        throw e;
      }
    }

    private static void put(FSDataOutputStreamBuilder<?, ?> create, ObjectBody body)
        throws IOException {
      FSDataOutputStream out = create.build();
      boolean written = false;
      try {
        body.writeTo(out);
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
   * For file systems on which incomplete files are visible: writes a hidden file beside the target
   * and renames it when it is complete. Readers of the directory, such as Spark, ignore names with
   * a leading dot. A directory with the name of the object is an error: a rename would move the
   * file into it.
   */
  record TemporaryFile(FileSystem fileSystem) implements ObjectWriter {

    @Override
    public void write(Path path, ObjectBody body, String contentType) throws IOException {
      Path temporary = new Path(path.getParent(), ".%s.tmp".formatted(UUID.randomUUID()));
      try {
        writeAll(temporary, body);
        rename(temporary, path);
      } catch (IOException | RuntimeException e) {
        deleteAfter(e, temporary);
        throw e;
      }
    }

    @Override
    public boolean create(Path path, ObjectBody body, String contentType) throws IOException {
      Path temporary = new Path(path.getParent(), ".%s.tmp".formatted(UUID.randomUUID()));
      try {
        writeAll(temporary, body);
        boolean created = linked(temporary, path);
        fileSystem.delete(temporary, false);
        return created;
      } catch (IOException | RuntimeException e) {
        deleteAfter(e, temporary);
        throw e;
      }
    }

    @Override
    public boolean replace(FileStatus seen, ObjectBody body, String contentType)
        throws IOException {
      write(seen.getPath(), body, contentType);
      return true;
    }

    /**
     * A POSIX rename replaces an existing file, but a link does not; HDFS does not rename onto an
     * existing file.
     */
    private boolean linked(Path temporary, Path path) throws IOException {
      if (!path.toUri().getScheme().equals("file")) {
        if (exists(path)) {
          return false;
        }
        if (renamed(temporary, path)) {
          return true;
        }
        if (exists(path)) {
          return false;
        }
        throw new IOException("cannot rename %s to %s".formatted(temporary, path));
      }
      try {
        Files.createLink(
            java.nio.file.Path.of(path.toUri()), java.nio.file.Path.of(temporary.toUri()));
        return true;
      } catch (java.nio.file.FileAlreadyExistsException e) {
        exists(path); // fails for a directory
        return false;
      } catch (UnsupportedOperationException | FileSystemException e) {
        if (exists(path)) {
          return false;
        }
        rename(temporary, path); // a file system without links, such as FAT
        return true;
      }
    }

    private void writeAll(Path temporary, ObjectBody body) throws IOException {
      FSDataOutputStreamBuilder<?, ?> create = fileSystem.createFile(temporary);
      create.recursive().overwrite(true);
      try (FSDataOutputStream out = create.build()) {
        body.writeTo(out);
      }
    }

    /**
     * Whether a file has this name.
     *
     * @throws PathIsDirectoryException if a directory has it
     */
    private boolean exists(Path path) throws IOException {
      try {
        if (fileSystem.getFileStatus(path).isDirectory()) {
          throw new PathIsDirectoryException(path.toString());
        }
        return true;
      } catch (FileNotFoundException e) {
        return false;
      }
    }

    private void rename(Path temporary, Path path) throws IOException {
      exists(path); // fails for a directory
      if (renamed(temporary, path)) {
        return;
      }
      fileSystem.delete(path, false); // HDFS, unlike POSIX, does not rename onto an existing file
      if (!renamed(temporary, path)) {
        throw new IOException("cannot rename %s to %s".formatted(temporary, path));
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
