package io.lightmill.udfs.draw;

import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.apache.spark.TaskKilledException;
import org.apache.spark.sql.Row;

/**
 * Hands out the manifest rows of a partition, chunk by chunk of batches, lazily. The next chunk is
 * drawn before the rows of the last one are complete, so that encoding and storing overlap with
 * drawing; at most two chunks of images are in memory.
 *
 * @param <C> chunks
 */
final class OverlappedBatches<C> implements Iterator<Row> {

  private final Iterator<C> batches;
  private final Drawing<C> drawing;
  private Finishing ahead;
  private Iterator<Row> ready = Collections.emptyIterator();

  /** Draws a chunk, and returns as soon as it is drawn. */
  @FunctionalInterface
  interface Drawing<C> {
    Finishing start(C chunk) throws InterruptedException;
  }

  /** Waits for the manifest rows of a drawn chunk. */
  @FunctionalInterface
  interface Finishing {
    List<Row> rows() throws InterruptedException;
  }

  OverlappedBatches(Iterator<C> batches, Drawing<C> drawing) {
    this.batches = batches;
    this.drawing = drawing;
  }

  @Override
  public boolean hasNext() {
    try {
      while (!ready.hasNext() && (ahead != null || batches.hasNext())) {
        Finishing next = batches.hasNext() ? drawing.start(batches.next()) : null;
        if (ahead != null) {
          ready = ahead.rows().iterator();
        }
        ahead = next;
      }
      return ready.hasNext();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TaskKilledException("interrupted while drawing");
    }
  }

  @Override
  public Row next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    return ready.next();
  }
}
