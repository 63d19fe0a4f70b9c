package io.lightmill.udfs.table;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import java.net.URI;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.commons.io.input.BoundedInputStream;
import org.apache.commons.lang3.Strings;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.io.compress.CompressionCodec;
import org.apache.hadoop.io.compress.CompressionCodecFactory;

/**
 * A file of a table, or a range of lines of a long one.
 *
 * @param uri of the file
 * @param start a line that begins before this byte is not a part of the range
 * @param end a line that begins before this byte is a part of the range as a whole
 * @param whole whether the range is the file
 * @param partition values of the {@code name=value} directories above the file, one for each column
 *     of {@link TableFiles#partitionColumns}; null for the default partition
 */
record TableFile(String uri, long start, long end, boolean whole, List<String> partition)
    implements Serializable {

  /**
   * Settings of Hadoop for local files with a colon in their name, which the file system that
   * checks sums cannot open.
   */
  static final Map<String, String> RAW_LOCAL_FILES =
      Map.of(
          "fs.file.impl", RawLocalFileSystem.class.getName(), "fs.file.impl.disable.cache", "true");

  private static final int BUFFER = 1 << 16;

  TableFile {
    partition = Arrays.asList(partition.toArray(String[]::new)); // may have nulls
  }

  static TableFile whole(Path path, long length, List<String> partition) {
    return new TableFile(path.toUri().toString(), 0, length, true, partition);
  }

  TableFile range(long from, long to) {
    return new TableFile(uri, from, to, false, partition);
  }

  long length() {
    return end - start;
  }

  Path path() {
    return new Path(URI.create(uri));
  }

  /** As messages name it: local files without a scheme. */
  String name() {
    return Strings.CS.removeStart(path().toString(), "file:");
  }

  /** Whether ranges of the file can be read. */
  boolean divisible(Configuration hadoop) {
    return new CompressionCodecFactory(hadoop).getCodec(path()) == null;
  }

  /** Whether the file is local and has a name that looks like a URI. */
  boolean hasColon() {
    return path().getName().indexOf(':') >= 0 && "file".equals(path().toUri().getScheme());
  }

  /** Settings that can open the file. */
  Configuration configured(Configuration hadoop) {
    if (!hasColon()) {
      return hadoop;
    }
    Configuration raw = new Configuration(hadoop);
    RAW_LOCAL_FILES.forEach(raw::set);
    return raw;
  }

  private FSDataInputStream open(Configuration hadoop) throws IOException {
    return path().getFileSystem(configured(hadoop)).open(path());
  }

  /** The bytes of the range, decompressed. */
  InputStream bytes(Configuration hadoop) throws IOException {
    CompressionCodec codec = new CompressionCodecFactory(hadoop).getCodec(path());
    FSDataInputStream file = open(hadoop);
    try {
      if (codec != null) {
        return codec.createInputStream(file);
      }
      if (whole) {
        return file;
      }
      long to = lineStart(file, end);
      long from = lineStart(file, start);
      file.seek(from);
      return BoundedInputStream.builder().setInputStream(file).setMaxCount(to - from).get();
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
  }

  /** The lines before the range. Reads the file up to it. */
  long linesBefore(Configuration hadoop) throws IOException {
    if (start == 0) {
      return 0;
    }
    try (FSDataInputStream file = open(hadoop)) {
      long from = lineStart(file, start);
      file.seek(0);
      byte[] buffer = new byte[BUFFER];
      long lines = 0;
      while (from > 0) {
        int read = file.read(buffer, 0, (int) Math.min(buffer.length, from));
        for (int i = 0; i < read; i++) {
          lines += buffer[i] == '\n' ? 1 : 0;
        }
        from -= read < 0 ? from : read;
      }
      return lines;
    }
  }

  /** The first byte, from a place on, that begins a line. */
  private static long lineStart(FSDataInputStream file, long place) throws IOException {
    if (place == 0) {
      return 0;
    }
    byte[] buffer = new byte[BUFFER];
    long at = place - 1;
    file.seek(at);
    for (int read = file.read(buffer); read >= 0; read = file.read(buffer)) {
      for (int i = 0; i < read; i++) {
        if (buffer[i] == '\n') {
          return at + i + 1;
        }
      }
      at += read;
    }
    return at;
  }

  LightmillException unreadable(Exception cause) {
    return TaskFailures.storeUnavailable(name(), cause)
        .orElseGet(
            () ->
                invalid(
                    "the file '%s' cannot be read: %s; check that the file is complete and has the format of its extension"
                        .formatted(name(), TaskFailures.reason(cause)),
                    cause));
  }

  static LightmillException invalid(String message, Exception cause) {
    return new LightmillException(ErrorCode.INPUT_INVALID, message, cause);
  }
}
