package io.lightmill.pipeline.flow;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.Device;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class DenoisingTurnsTest {

  private final CountDownLatch entered = new CountDownLatch(1);

  @Test
  void onAGpuOneThreadDenoisesAtATime() throws InterruptedException {
    DenoisingTurns turns = new DenoisingTurns(Device.cuda(0));
    Thread other = new Thread(() -> turns.denoise(entered::countDown));
    turns.denoise(
        () -> {
          other.start();
          while (other.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
          }
          assertThat(entered.getCount()).isEqualTo(1);
        });
    other.join();
    assertThat(entered.getCount()).isZero();
  }

  @Test
  void onACpuAllDenoiseAtOnce() throws InterruptedException {
    DenoisingTurns turns = new DenoisingTurns(Device.CPU);
    Thread other = new Thread(() -> turns.denoise(entered::countDown));
    turns.denoise(
        () -> {
          other.start();
          try {
            entered.await();
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
        });
    other.join();
  }
}
