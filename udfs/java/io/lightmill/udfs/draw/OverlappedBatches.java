package io.lightmill.udfs.draw;

import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.apache.spark.TaskKilledException;
import org.apache.spark.sql.Row;

/**
 * Hands out the manifest rows of a partition, batch by batch, lazily. The next batch is drawn
 * before the last one's rows are waited for, so that encoding and storing it hide behind the
 * engine; two batches of images are alive at most.
 */
final class OverlappedBatches implements Iterator<Row> {

  private final Iterator<List<Row>> batches;
  private final Drawing drawing;
  private Finishing ahead;
  private Iterator<Row> ready = Collections.emptyIterator();

  /** Draws a batch, and returns as soon as it is drawn. */
  @FunctionalInterface
  interface Drawing {
    Finishing start(List<Row> batch) throws InterruptedException;
  }

  /** Waits for the manifest rows of a drawn batch. */
  @FunctionalInterface
  interface Finishing {
    List<Row> rows() throws InterruptedException;
  }

  OverlappedBatches(Iterator<List<Row>> batches, Drawing drawing) {
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
