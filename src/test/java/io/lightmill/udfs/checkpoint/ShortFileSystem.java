package io.lightmill.udfs.checkpoint;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.hadoop.fs.BlockLocation;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;

/** The local disk, on which one file ends early, or is listed as larger than any disk. */
public final class ShortFileSystem extends RawLocalFileSystem {

  /** Configuration key: the end of the path of the file that lacks its last byte. */
  static final String SHORT = "test.short";

  /** Configuration key: the end of the path of the file that is listed with 2⁶⁰ bytes. */
  static final String HUGE = "test.huge";

  /** The number of bytes of each read so far. */
  static final List<Integer> READ = new CopyOnWriteArrayList<>();

  @Override
  public FSDataInputStream open(Path path, int bufferSize) throws IOException {
    long end = super.getFileStatus(path).getLen() - (named(SHORT, path) ? 1 : 0);
    return new FSDataInputStream(new Counted(super.open(path, bufferSize), end));
  }

  @Override
  public FileStatus[] listStatus(Path path) throws IOException {
    FileStatus[] listed = super.listStatus(path);
    for (int i = 0; i < listed.length; i++) {
      if (named(HUGE, listed[i].getPath())) {
        listed[i] = new FileStatus(1L << 60, false, 1, 1 << 20, 1, listed[i].getPath());
      }
    }
    return listed;
  }

  @Override
  public BlockLocation[] getFileBlockLocations(FileStatus file, long start, long length) {
    return new BlockLocation[0];
  }

  private boolean named(String key, Path path) {
    String ending = getConf().get(key);
    return ending != null && path.toString().endsWith(ending);
  }

  private static final class Counted extends FSInputStream {

    private final FSDataInputStream in;
    private final long end;

    Counted(FSDataInputStream in, long end) {
      this.in = in;
      this.end = end;
    }

    @Override
    public int read() {
      throw new UnsupportedOperationException("not used");
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      long left = end - in.getPos();
      int read = left <= 0 ? -1 : in.read(buffer, offset, (int) Math.min(left, length));
      READ.add(Math.max(0, read));
      return read;
    }

    @Override
    public void seek(long position) throws IOException {
      in.seek(position);
    }

    @Override
    public long getPos() throws IOException {
      return in.getPos();
    }

    @Override
    public boolean seekToNewSource(long target) {
      return false;
    }

    @Override
    public void close() throws IOException {
      in.close();
    }
  }
}
