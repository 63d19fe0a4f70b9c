package io.lightmill.udfs.draw;

import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.ToIntFunction;
import org.apache.spark.TaskKilledException;
import org.apache.spark.sql.Row;

/**
 * Hands out the manifest rows of a partition, chunk by chunk of batches, lazily. Further chunks are
 * drawn before the rows of earlier ones are complete, so that encoding and storing overlap with
 * drawing, even where the store takes longer for an image than the device. The images in memory are
 * those of two chunks, or, if chunks are small, of as many as have a given number of images.
 *
 * @param <C> chunks
 */
final class OverlappedBatches<C> implements Iterator<Row> {

  private static final int LEAST_CHUNKS = 2;

  private final Iterator<C> chunks;
  private final ToIntFunction<C> images;
  private final int ahead;
  private final Drawing<C> drawing;
  private final Deque<Drawn> unfinished = new ArrayDeque<>();
  private Iterator<Row> ready = Collections.emptyIterator();

  /** Draws a chunk, and returns as soon as it is drawn. */
  @FunctionalInterface
  interface Drawing<C> {
    Finishing start(C chunk) throws InterruptedException;
  }

  /** The manifest rows of a drawn chunk. */
  interface Finishing {

    /** Whether the rows are complete. */
    boolean isDone();

    /** Waits for the rows. */
    List<Row> rows() throws InterruptedException;
  }

  private record Drawn(int images, Finishing finishing) {}

  /**
   * @param images of a chunk
   * @param ahead images that may be unfinished when a chunk begins, beside those of one chunk
   */
  OverlappedBatches(Iterator<C> chunks, ToIntFunction<C> images, int ahead, Drawing<C> drawing) {
    this.chunks = chunks;
    this.images = images;
    this.ahead = ahead;
    this.drawing = drawing;
  }

  @Override
  public boolean hasNext() {
    try {
      while (!ready.hasNext() && (chunks.hasNext() || !unfinished.isEmpty())) {
        if (chunks.hasNext() && mayDraw()) {
          C chunk = chunks.next();
          unfinished.add(new Drawn(images.applyAsInt(chunk), drawing.start(chunk)));
        } else {
          ready = unfinished.remove().finishing().rows().iterator();
        }
      }
      return ready.hasNext();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TaskKilledException("interrupted while drawing");
    }
  }

  /** Whether the next chunk is drawn before the rows of the oldest one are handed out. */
  private boolean mayDraw() {
    if (unfinished.isEmpty()) {
      return true;
    }
    int waiting = unfinished.stream().mapToInt(Drawn::images).sum();
    return !unfinished.peek().finishing().isDone()
        && (unfinished.size() < LEAST_CHUNKS || waiting < ahead);
  }

  @Override
  public Row next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    return ready.next();
  }
}
