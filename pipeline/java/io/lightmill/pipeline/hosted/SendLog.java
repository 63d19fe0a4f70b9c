package io.lightmill.pipeline.hosted;

import java.util.concurrent.Callable;

/**
 * An action before each request of a thread: it records the request, so that a later run finds it
 * even if this process is killed before the answer.
 */
public final class SendLog {

  private static final ThreadLocal<Runnable> BEFORE_SENDING = new ThreadLocal<>();

  private SendLog() {}

  /**
   * Does work whose requests are recorded before they are sent.
   *
   * @param beforeSending called before each request of this thread; what it throws prevents the
   *     request
   */
  public static <T> T noted(Runnable beforeSending, Callable<T> work) throws Exception {
    BEFORE_SENDING.set(beforeSending);
    try {
      return work.call();
    } finally {
      BEFORE_SENDING.remove();
    }
  }

  static void note() {
    Runnable note = BEFORE_SENDING.get();
    if (note != null) {
      note.run();
    }
  }
}
