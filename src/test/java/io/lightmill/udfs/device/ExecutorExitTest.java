package io.lightmill.udfs.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ExecutorExitTest {

  private final List<Integer> statuses = new CopyOnWriteArrayList<>();

  /** The first task fails while the process still runs; no other does before it has ended. */
  @Test
  void theProcessEndsOnceAndOnlyTheFirstTaskGoesOnBefore() throws InterruptedException {
    CountDownLatch firstFailed = new CountDownLatch(1);
    ExecutorExit exit =
        new ExecutorExit(
            status -> {
              awaitUninterrupted(firstFailed);
              statuses.add(status);
            },
            Duration.ZERO);
    BrokenDeviceException reason = new BrokenDeviceException("the device is broken", null);

    exit.begin(reason);
    assertThat(statuses).isEmpty();
    firstFailed.countDown();
    exit.begin(reason);

    assertThat(statuses).containsExactly(ExecutorExit.STATUS);
  }

  private static void awaitUninterrupted(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
