package io.lightmill.udfs.store;

import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;

/** A local file system that shows incomplete files, renames as HDFS does, and injects failures. */
final class FaultyFileSystem extends RawLocalFileSystem {

  enum RowError {
    NONE,
    /** Half of the bytes reach the disk before the write throws. */
    MIDWAY,
    ON_CLOSE,
    ON_RENAME,
    ON_DELETE_TOO
  }

  private final List<String> visible = new ArrayList<>();
  private RowError fault = RowError.NONE;

  FaultyFileSystem() throws IOException {
    initialize(URI.create("file:///"), new Configuration(false));
  }

  void failNext(RowError next) {
    fault = next;
  }

  /** Names of the files that a reader could see at the moment of each failure. */
  List<String> visibleAtFailures() {
    return visible;
  }

  @Override
  public FSDataOutputStream create(
      Path path,
      FsPermission permission,
      boolean overwrite,
      int bufferSize,
      short replication,
      long blockSize,
      Progressable progress)
      throws IOException {
    FSDataOutputStream out =
        super.create(path, permission, overwrite, bufferSize, replication, blockSize, progress);
    return new FSDataOutputStream(new FaultyStream(out, path), null);
  }

  @Override
  public boolean rename(Path from, Path to) throws IOException {
    if (fault == RowError.ON_RENAME || fault == RowError.ON_DELETE_TOO) {
      throw failure(to);
    }
    return !exists(to) && super.rename(from, to);
  }

  @Override
  public boolean delete(Path path, boolean recursive) throws IOException {
    if (fault == RowError.ON_DELETE_TOO) {
      throw failure(path);
    }
    return super.delete(path, recursive);
  }

  private IOException failure(Path path) throws IOException {
    for (FileStatus file : listStatus(path.getParent())) {
      visible.add(file.getPath().getName());
    }
    return new IOException("injected " + fault);
  }

  private final class FaultyStream extends OutputStream {

    private final FSDataOutputStream out;
    private final Path path;

    FaultyStream(FSDataOutputStream out, Path path) {
      this.out = out;
      this.path = path;
    }

    @Override
    public void write(int b) throws IOException {
      out.write(b);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      if (fault == RowError.MIDWAY) {
        out.write(bytes, offset, length / 2);
        out.hflush();
        throw failure(path);
      }
      out.write(bytes, offset, length);
    }

    @Override
    public void close() throws IOException {
      out.close();
      if (fault == RowError.ON_CLOSE) {
        throw failure(path);
      }
    }
  }
}
