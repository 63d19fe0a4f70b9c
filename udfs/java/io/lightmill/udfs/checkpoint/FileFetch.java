package io.lightmill.udfs.checkpoint;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.lightmill.pipeline.checkpoint.InsufficientSpaceException;
import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;

/**
 * Copies files from a Hadoop file system to a local directory, in chunks and several chunks at a
 * time, since one stream from an object store is slower than the network. Copied chunks are logged,
 * so that a fetch that failed or was killed can be resumed.
 *
 * @param chunkBytes length of a chunk
 */
record FileFetch(FileSystem fileSystem, List<RemotePart> files, int chunkBytes) {

  static final int CHUNK_BYTES = 32 << 20;

  /** Lists the copied chunks, one per line. */
  static final String LOG = ".fetched";

  private static final int STREAMS = 8;
  private static final int BUFFER_BYTES = 1 << 20;

  /**
   * A file on the file system.
   *
   * @param name of the copy, relative to the directory
   */
  record RemotePart(String name, FileStatus status) {

    /** Object stores allow names that lead out of a directory, or back to it. */
    boolean isInside() {
      return List.of(name.split("/", -1)).stream()
          .noneMatch(part -> part.isEmpty() || part.equals(".") || part.equals(".."));
    }
  }

  private record Chunk(RemotePart file, long offset, int length) {

    String line() {
      return offset + " " + file.name();
    }
  }

  /**
   * Copies the missing chunks.
   *
   * @param directory that is empty, or holds the partial result of an earlier fetch of these files
   * @throws InsufficientSpaceException before anything is copied, if the disk has too little space
   */
  void into(Path directory) throws IOException {
    for (RemotePart file : files) {
      if (!file.isInside()) {
        throw new IOException(
            "%s is not a file below the directory that is fetched; remove it there"
                .formatted(file.status().getPath()));
      }
    }
    Files.createDirectories(directory);
    Path log = directory.resolve(LOG);
    Set<String> done = Files.exists(log) ? new HashSet<>(Files.readAllLines(log)) : Set.of();
    long total = files.stream().mapToLong(file -> file.status().getLen()).sum();
    requireSpace(directory, total - (long) done.size() * chunkBytes);
    List<Chunk> missing = chunks().stream().filter(chunk -> !done.contains(chunk.line())).toList();
    for (RemotePart file : files) {
      Path copy = directory.resolve(file.name());
      Files.createDirectories(copy.getParent());
      if (file.status().getLen() == 0) {
        Files.write(copy, new byte[0]);
      }
    }
    try (FileChannel written =
        FileChannel.open(log, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
      copy(missing, directory, written);
    }
    Files.delete(log);
  }

  private List<Chunk> chunks() {
    List<Chunk> chunks = new ArrayList<>();
    for (RemotePart file : files) {
      long length = file.status().getLen();
      for (long offset = 0; offset < length; offset += chunkBytes) {
        chunks.add(new Chunk(file, offset, (int) Math.min(chunkBytes, length - offset)));
      }
    }
    return chunks;
  }

  private static void requireSpace(Path directory, long bytes) throws IOException {
    long space = Files.getFileStore(directory).getUsableSpace();
    if (bytes > space) {
      throw new InsufficientSpaceException(bytes, space);
    }
  }

  private void copy(List<Chunk> chunks, Path directory, FileChannel log) throws IOException {
    ExecutorService threads = Executors.newFixedThreadPool(STREAMS);
    CompletionService<Void> copying = new ExecutorCompletionService<>(threads);
    try {
      for (Chunk chunk : chunks) {
        Callable<Void> task =
            () -> {
              copy(chunk, directory.resolve(chunk.file().name()));
              log(chunk, log);
              return null;
            };
        copying.submit(task);
      }
      for (int i = 0; i < chunks.size(); i++) {
        copying.take().get();
      }
    } catch (ExecutionException e) {
      ExceptionUtils.throwUnchecked(e.getCause());
      throw (IOException) e.getCause();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while fetching files");
    } finally {
      threads.shutdownNow();
    }
  }

  private void copy(Chunk chunk, Path copy) throws IOException {
    try (FSDataInputStream in = fileSystem.open(chunk.file().status().getPath());
        FileChannel out =
            FileChannel.open(copy, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      in.seek(chunk.offset());
      byte[] buffer = new byte[Math.min(BUFFER_BYTES, chunk.length())];
      for (int copied = 0; copied < chunk.length(); ) {
        int read = in.read(buffer, 0, Math.min(buffer.length, chunk.length() - copied));
        if (read < 0) {
          throw new EOFException(
              "%s ended after %d of %d bytes"
                  .formatted(
                      chunk.file().status().getPath(),
                      chunk.offset() + copied,
                      chunk.file().status().getLen()));
        }
        ByteBuffer bytes = ByteBuffer.wrap(buffer, 0, read);
        while (bytes.hasRemaining()) {
          copied += out.write(bytes, chunk.offset() + copied);
        }
      }
      out.force(false); // before the log names the chunk, so that a power cut cannot lose it
    }
  }

  private static synchronized void log(Chunk chunk, FileChannel log) throws IOException {
    ByteBuffer line = ByteBuffer.wrap((chunk.line() + "\n").getBytes(UTF_8));
    while (line.hasRemaining()) {
      log.write(line);
    }
  }
}
