package io.lightmill.pipeline.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.List;

/**
 * Reads tensors into the page cache ahead of those who map them: in the order of the disk, in large
 * pieces, and while others are being converted. Page faults alone would read little by little.
 */
final class ReadAhead {

  private static final int PIECE_BYTES = 8 << 20;

  private final Thread thread;

  /**
   * Begins to read.
   *
   * @param tensors in the order of the disk
   */
  ReadAhead(List<StoredTensor> tensors) {
    this.thread = new Thread(() -> read(tensors), "read ahead");
    thread.setDaemon(true);
    thread.start();
  }

  private static void read(List<StoredTensor> tensors) {
    ByteBuffer piece = ByteBuffer.allocateDirect(PIECE_BYTES);
    for (StoredTensor tensor : tensors) {
      long at = tensor.entry().offset();
      long end = at + tensor.entry().bytes();
      try (FileChannel channel = FileChannel.open(tensor.file().path())) {
        while (at < end) {
          piece.clear().limit((int) Math.min(PIECE_BYTES, end - at));
          at += Math.max(1, channel.read(piece, at));
        }
      } catch (IOException e) { // interrupted; or whoever maps the file meets the same, and says so
        return;
      }
    }
  }

  /** Stops reading. */
  void close() {
    thread.interrupt();
  }
}
