package io.lightmill.pipeline.checkpoint;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;

/**
 * Reads files whose size is bounded. Devices, pipes and directories are refused before they are
 * opened, so that none of them blocks or fills the memory. Symbolic links are followed wherever
 * they lead, since the Hugging Face Hub's cache consists of them; what counts is the file at their
 * end.
 */
public final class RegularFile {

  /** For configs; the largest of a published model have some 20 KB. */
  public static final int CONFIG_BYTES = 4 << 20;

  /** For vocabularies and indexes of shards; the largest of a supported family have some 12 MB. */
  public static final int VOCABULARY_BYTES = 32 << 20;

  private RegularFile() {}

  /** Whether a file, or a link to a file that may be missing, exists. */
  public static boolean exists(Path path) {
    return Files.exists(path, LinkOption.NOFOLLOW_LINKS);
  }

  /**
   * Reads a whole file.
   *
   * @param mostBytes that it may have
   * @param code of the error
   * @throws LightmillException if it is no regular file, a pointer of Git LFS, or larger
   * @throws IOException if it is missing or cannot be read
   */
  public static byte[] read(Path path, int mostBytes, ErrorCode code) throws IOException {
    require(path, code);
    try (InputStream in = Files.newInputStream(path)) {
      byte[] bytes = in.readNBytes(mostBytes + 1); // of a file that still grows, too
      if (bytes.length > mostBytes) {
        throw new LightmillException(
            code,
            "%s has %d bytes, and a file of its kind may have %d at most; replace it by the right one"
                .formatted(path, Math.max(Files.size(path), bytes.length), mostBytes));
      }
      FileSignature.requireContent(path, ByteBuffer.wrap(bytes), code);
      return bytes;
    }
  }

  /**
   * Requires a regular file, or a link to one.
   *
   * @param code of the error
   * @throws LightmillException if it is something else
   * @throws IOException if it is missing
   */
  static void require(Path path, ErrorCode code) throws IOException {
    if (Files.isSymbolicLink(path) && !Files.exists(path)) {
      throw new NoSuchFileException(
          path.toString(), null, "a link to %s".formatted(Files.readSymbolicLink(path)));
    }
    BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
    if (!attributes.isRegularFile()) {
      throw new LightmillException(
          code,
          "%s is %s; replace it by a regular file"
              .formatted(path, attributes.isDirectory() ? "a directory" : "a pipe or a device"));
    }
  }

  /** The error for a checkpoint's file that cannot be read. */
  public static LightmillException unreadable(Path file, IOException cause) {
    return new LightmillException(
        ErrorCode.CHECKPOINT_INVALID,
        Files.isRegularFile(file)
            ? "%s cannot be read (%s); check its permissions and the disk".formatted(file, cause)
            : "%s is missing%s; fetch the checkpoint again, with all its files"
                .formatted(file, linked(file, cause)),
        cause);
  }

  private static String linked(Path file, IOException cause) {
    return Files.isSymbolicLink(file) && cause instanceof FileSystemException at
        ? " (%s)".formatted(at.getReason())
        : "";
  }
}
