package io.lightmill.pipeline.checkpoint;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * The parts of something that is being loaded. If one cannot be loaded, those before it are closed:
 * nothing but {@link #complete} keeps them.
 */
public final class Loading implements AutoCloseable {

  private final Deque<AutoCloseable> parts = new ArrayDeque<>();

  /** Notes a part that was loaded, and returns it. */
  public <T extends AutoCloseable> T add(T part) {
    parts.push(part);
    return part;
  }

  /** All parts are loaded and have an owner who closes them. */
  public void complete() {
    parts.clear();
  }

  @Override
  public void close() {
    while (!parts.isEmpty()) {
      try {
        parts.pop().close();
      } catch (Exception e) {
        throw new IllegalStateException("a part could not be closed", e);
      }
    }
  }
}
