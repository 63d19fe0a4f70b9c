package io.lightmill.udfs.store;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.attribute.PosixFilePermissions;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.permission.FsPermission;

/**
 * The local file system without a {@code .crc} file and without a {@code chmod} process for each
 * file. Without its native library, Hadoop starts such a process for every file that it creates,
 * which takes longer than writing an image.
 */
final class LocalDisk extends RawLocalFileSystem {

  private LocalDisk() {}

  static LocalDisk of(Configuration configuration) {
    LocalDisk disk = new LocalDisk();
    try {
      disk.initialize(URI.create("file:///"), configuration);
    } catch (IOException e) { // initialization opens nothing
      throw new UncheckedIOException(e);
    }
    return disk;
  }

  @Override
  public void setPermission(Path path, FsPermission permission) throws IOException {
    String symbols =
        permission.getUserAction().SYMBOL
            + permission.getGroupAction().SYMBOL
            + permission.getOtherAction().SYMBOL;
    try {
      Files.setPosixFilePermissions(
          pathToFile(path).toPath(), PosixFilePermissions.fromString(symbols));
    } catch (
        UnsupportedOperationException
            e) { // a file system without POSIX permissions, such as Windows'
      super.setPermission(path, permission);
    }
  }
}
