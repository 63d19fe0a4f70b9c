package io.lightmill.pipeline.flow;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.Device;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class DenoisingTurnsTest {

  @Test
  void onAGpuOneThreadDenoisesAtATime() throws InterruptedException {
    DenoisingTurns turns = new DenoisingTurns(Device.cuda(0));
    CountDownLatch entered = new CountDownLatch(1);
    Thread other = other(turns, entered);
    try (DenoisingTurns.Turn turn = turns.take()) {
      other.start();
      while (other.getState() != Thread.State.WAITING) {
        Thread.onSpinWait();
      }
      assertThat(entered.getCount()).isEqualTo(1);
    }
    entered.await();
    other.join();
  }

  @Test
  void onACpuAllDenoiseAtOnce() throws InterruptedException {
    DenoisingTurns turns = new DenoisingTurns(Device.CPU);
    CountDownLatch entered = new CountDownLatch(1);
    Thread other = other(turns, entered);
    try (DenoisingTurns.Turn turn = turns.take()) {
      other.start();
      entered.await();
    }
    other.join();
  }

  private static Thread other(DenoisingTurns turns, CountDownLatch entered) {
    return new Thread(
        () -> {
          try (DenoisingTurns.Turn turn = turns.take()) {
            entered.countDown();
          }
        });
  }
}
