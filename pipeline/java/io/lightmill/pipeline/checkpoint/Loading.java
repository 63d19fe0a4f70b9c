package io.lightmill.pipeline.checkpoint;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * The parts of an object that is being loaded. Closing this closes all parts, unless {@link
 * #complete} was called: so a part that fails to load leaves none open.
 */
public final class Loading implements AutoCloseable {

  private final Deque<AutoCloseable> parts = new ArrayDeque<>();

  /** Registers a loaded part and returns it. */
  public <T extends AutoCloseable> T add(T part) {
    parts.push(part);
    return part;
  }

  /** Hands all parts over to an owner that closes them. */
  public void complete() {
    parts.clear();
  }

  @Override
  public void close() {
    while (!parts.isEmpty()) {
      try {
        parts.pop().close();
      } catch (Exception e) {
        throw new IllegalStateException("a part cannot be closed", e);
      }
    }
  }
}
