package io.lightmill.udfs.device;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends the process of an executor whose device is broken: a CUDA context that has failed cannot be
 * used again, and Spark starts another executor.
 */
public final class ExecutorExit {

  /** The exit status of such an executor: {@code EX_OSERR} of sysexits.h. */
  static final int STATUS = 71;

  /** Enough for the failed task to report its exception to the driver. */
  private static final Duration GRACE = Duration.ofSeconds(2);

  /** Of this process. */
  public static final ExecutorExit PROCESS = new ExecutorExit(System::exit, GRACE);

  private static final Logger LOG = LoggerFactory.getLogger(ExecutorExit.class);

  private final IntConsumer exit;
  private final Duration grace;
  private final AtomicBoolean begun = new AtomicBoolean();
  private final CountDownLatch ended = new CountDownLatch(1);

  ExecutorExit(IntConsumer exit, Duration grace) {
    this.exit = exit;
    this.grace = grace;
  }

  /**
   * Begins to end the process. The first caller returns at once, to let its task fail. Later ones
   * wait for the end, so that an executor that is about to end does not fail one task after the
   * other.
   *
   * @throws InterruptedException if the task is killed while it waits
   */
  public void begin(BrokenDeviceException reason) throws InterruptedException {
    if (!begun.compareAndSet(false, true)) {
      ended.await();
      return;
    }
    LOG.error("This executor ends with status {}: {}", STATUS, reason.getMessage(), reason);
    Thread thread = new Thread(this::end, "end executor");
    thread.setDaemon(true);
    thread.start();
  }

  private void end() {
    try {
      Thread.sleep(grace.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // nobody interrupts it; then it ends at once
    }
    try {
      exit.accept(STATUS);
    } finally {
      ended.countDown();
    }
  }
}
