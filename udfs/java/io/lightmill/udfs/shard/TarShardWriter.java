package io.lightmill.udfs.shard;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.OptionalLong;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.io.FilenameUtils;
import org.apache.commons.io.output.CloseShieldOutputStream;

/**
 * Tar for the webdataset library: the files of a sample are adjacent. The bytes depend only on the
 * images: entries have no times and owners.
 */
final class TarShardWriter implements ShardWriter {

  private static final int BUFFER = 1 << 16;

  private final TarArchiveOutputStream tar;

  TarShardWriter(OutputStream out) {
    tar =
        new TarArchiveOutputStream(
            new BufferedOutputStream(CloseShieldOutputStream.wrap(out), BUFFER),
            StandardCharsets.UTF_8.name());
    tar.setAddPaxHeadersForNonAsciiNames(true);
  }

  @Override
  public OptionalLong add(ShardImage image, byte[] bytes) throws IOException {
    String key = FilenameUtils.removeExtension(image.member());
    file(key + ".json", image.row().json().getBytes(StandardCharsets.UTF_8));
    long offset = file(image.member(), bytes);
    file(key + ".txt", image.row().prompt().getBytes(StandardCharsets.UTF_8));
    return OptionalLong.of(offset);
  }

  private long file(String name, byte[] bytes) throws IOException {
    TarArchiveEntry entry = new TarArchiveEntry(name);
    entry.setSize(bytes.length);
    entry.setModTime(0);
    entry.setIds(0, 0);
    entry.setNames("", "");
    tar.putArchiveEntry(entry);
    long offset = tar.getBytesWritten();
    tar.write(bytes);
    tar.closeArchiveEntry();
    return offset;
  }

  @Override
  public void close() throws IOException {
    tar.close();
  }
}
