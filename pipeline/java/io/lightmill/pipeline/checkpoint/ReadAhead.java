package io.lightmill.pipeline.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.List;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads tensors into the page cache before they are mapped: in the order of the disk, in large
 * pieces, and while others are converted. Page faults alone read in small pieces.
 */
final class ReadAhead {

  private static final Logger LOG = LoggerFactory.getLogger(ReadAhead.class);

  private static final int PIECE_BYTES = 8 << 20;

  private final Semaphore tensorsRead = new Semaphore(0);
  private final Thread thread;

  /**
   * Starts to read.
   *
   * @param tensors in the order of the disk
   */
  ReadAhead(List<StoredTensor> tensors) {
    this.thread = new Thread(() -> read(tensors), "read ahead");
    thread.setDaemon(true);
    thread.start();
  }

  private void read(List<StoredTensor> tensors) {
    int left = tensors.size();
    try {
      ByteBuffer piece = ByteBuffer.allocateDirect(PIECE_BYTES);
      for (StoredTensor tensor : tensors) {
        read(tensor, piece);
        tensorsRead.release();
        left--;
      }
    } catch (IOException e) {
      LOG.debug(
          "read-ahead stopped: interrupted, or mapping the file will fail with the same error", e);
    } finally {
      tensorsRead.release(left);
    }
  }

  private static void read(StoredTensor tensor, ByteBuffer piece) throws IOException {
    long at = tensor.entry().offset();
    long end = at + tensor.entry().bytes();
    try (FileChannel channel = FileChannel.open(tensor.file().path())) {
      while (at < end) {
        piece.clear().limit((int) Math.min(PIECE_BYTES, end - at));
        at += Math.max(1, channel.read(piece, at));
      }
    }
  }

  /** Waits until one more tensor has been read, or has failed. */
  void awaitNext() {
    tensorsRead.acquireUninterruptibly();
  }

  /** Stops reading. */
  void close() {
    thread.interrupt();
  }
}
