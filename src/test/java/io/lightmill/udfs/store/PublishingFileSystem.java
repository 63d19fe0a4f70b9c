package io.lightmill.udfs.store;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Abortable;
import org.apache.hadoop.fs.CommonPathCapabilities;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.StreamCapabilities;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;

/**
 * An object store on the local disk: a stream publishes its content when it is closed, and discards
 * it when it is aborted.
 */
final class PublishingFileSystem extends RawLocalFileSystem {

  private final List<String> calls = new ArrayList<>();
  private final boolean abortable;
  private boolean failing;

  /** With abortable streams like those of S3A, or without like those of Google's connector. */
  PublishingFileSystem(boolean abortable) throws IOException {
    this.abortable = abortable;
    initialize(URI.create("file:///"), new Configuration(false));
  }

  void failWrites() {
    failing = true;
  }

  List<String> calls() {
    return calls;
  }

  @Override
  public URI getUri() {
    return URI.create(abortable ? "s3x:///" : "gs:///");
  }

  /** The path of a local directory on this file system. */
  Path path(java.nio.file.Path directory) {
    return new Path(getUri().getScheme(), null, directory.toString());
  }

  @Override
  public boolean hasPathCapability(Path path, String capability) throws IOException {
    return capability.equals(CommonPathCapabilities.ABORTABLE_STREAM)
        ? abortable
        : super.hasPathCapability(path, capability);
  }

  @Override
  public FSDataOutputStream create(
      Path path,
      FsPermission permission,
      boolean overwrite,
      int bufferSize,
      short replication,
      long blockSize,
      Progressable progress) {
    calls.add("create " + path.getName());
    return new FSDataOutputStream(new PublishingStream(path, overwrite), null) {
      @Override
      public boolean hasCapability(String capability) {
        return abortable && super.hasCapability(capability);
      }
    };
  }

  @Override
  public boolean rename(Path from, Path to) {
    throw new AssertionError("renamed " + from + " to " + to);
  }

  @Override
  public boolean delete(Path path, boolean recursive) throws IOException {
    calls.add("delete " + path.getName());
    return super.delete(path, recursive);
  }

  private void publish(Path path, boolean overwrite, byte[] bytes) throws IOException {
    calls.add("publish " + path.getName());
    try (FSDataOutputStream out =
        super.create(path, FsPermission.getFileDefault(), overwrite, 4096, (short) 1, 4096, null)) {
      out.write(bytes);
    }
  }

  private final class PublishingStream extends ByteArrayOutputStream
      implements Abortable, StreamCapabilities {

    private final Path path;
    private final boolean overwrite;
    private boolean aborted;

    PublishingStream(Path path, boolean overwrite) {
      this.path = path;
      this.overwrite = overwrite;
    }

    @Override
    public synchronized void write(byte[] bytes, int offset, int length) {
      if (failing) {
        super.write(bytes, offset, length / 2);
        throw new IllegalStateException("injected");
      }
      super.write(bytes, offset, length);
    }

    @Override
    public void close() throws IOException {
      if (!aborted) {
        publish(path, overwrite, Arrays.copyOf(buf, count));
      }
    }

    @Override
    public boolean hasCapability(String capability) {
      return capability.equals(CommonPathCapabilities.ABORTABLE_STREAM);
    }

    @Override
    public AbortableResult abort() {
      calls.add("abort " + path.getName());
      aborted = true;
      return null;
    }
  }
}
