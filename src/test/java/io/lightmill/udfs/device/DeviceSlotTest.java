package io.lightmill.udfs.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.udfs.PaintStudio;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class DeviceSlotTest {

  private final PaintStudio studio = new PaintStudio();
  private final DeviceSlot slot = new DeviceSlot(Device.CPU);

  private static List<ImageRequest> batch(int size) {
    return IntStream.range(0, size)
        .mapToObj(
            seed ->
                ImageRequest.builder("p" + seed)
                    .width(16)
                    .height(16)
                    .numInferenceSteps(1)
                    .guidanceScale(0)
                    .trueCfgScale(1)
                    .maxSequenceLength(8)
                    .seed(seed)
                    .build())
        .toList();
  }

  @Test
  void oneThreadDrawsAtATimeOnOnePipeline() throws Exception {
    AtomicInteger drawing = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    Callable<Integer> use =
        () ->
            slot.use(
                studio.loader(),
                pipeline -> {
                  most.accumulateAndGet(drawing.incrementAndGet(), Math::max);
                  pipeline.generate(batch(2));
                  return drawing.decrementAndGet();
                });
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      threads.invokeAll(IntStream.range(0, 40).mapToObj(i -> use).toList());
    } finally {
      threads.shutdown();
    }

    assertThat(studio.batches).hasSize(40);
    assertThat(most).hasValue(1);
    assertThat(studio.loads).hasValue(1);
  }

  @Test
  void anotherPipelineTakesThePlaceOfTheFirst() throws InterruptedException {
    PaintStudio other = new PaintStudio();

    slot.use(studio.loader(), pipeline -> pipeline.generate(batch(1)));
    slot.use(other.loader(), pipeline -> pipeline.generate(batch(1)));
    slot.release(studio.loader());

    assertThat(studio.closes).hasValue(1);
    assertThat(other.closes).hasValue(0);
    slot.release(other.loader());
    assertThat(other.closes).hasValue(1);
  }

  @Test
  void threadThatWaitsForItsTurnCanBeInterrupted() {
    Thread.currentThread().interrupt();

    assertThatThrownBy(() -> slot.use(studio.loader(), pipeline -> pipeline.generate(batch(1))))
        .isInstanceOf(InterruptedException.class);
    assertThat(studio.batches).isEmpty();
  }
}
