package io.lightmill.udfs.device;

import static io.lightmill.udfs.SolidColorPipeline.batch;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.PromptLength;
import io.lightmill.pipeline.torch.Torch;
import io.lightmill.udfs.SolidColorPipeline;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class DeviceSlotTest {

  private static final Duration IDLE = Duration.ofSeconds(60);
  private static final DeviceCapacity GPU = DeviceCapacity.of(Device.cuda(0));

  private final SolidColorPipeline pipeline = new SolidColorPipeline();
  private final AtomicLong nanos = new AtomicLong();
  private final ExecutorService threads = Executors.newCachedThreadPool();

  /** A loader of the pipeline whose weights, and each of whose images, take 100 bytes. */
  private record Measured(PipelineLoader wrapped) implements PipelineLoader {

    @Override
    public String key() {
      return wrapped.key();
    }

    @Override
    public PromptLength promptLength() {
      return wrapped.promptLength();
    }

    @Override
    public DrawingMemory memory() {
      return new DrawingMemory() {
        @Override
        public long weights() {
          return 100;
        }

        @Override
        public long activations(ImageRequest request) {
          return 100;
        }
      };
    }

    @Override
    public DiffusionPipeline load(Device device) {
      return wrapped.load(device);
    }
  }

  private DeviceSlot slot(Device device, DeviceCapacity capacity) {
    return new DeviceSlot(device, capacity, nanos::get);
  }

  private DeviceSlot cpu(int cores, long bytes) {
    return slot(Device.CPU, new DeviceCapacity(cores, bytes));
  }

  private <T> Future<T> drawing(
      DeviceSlot slot, PipelineLoader loader, int threads, Callable<T> inside) {
    return this.threads.submit(
        () -> slot.use(loader, threads, batch(1), pipeline -> called(inside)));
  }

  private static <T> T called(Callable<T> inside) {
    try {
      return inside.call();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Holds one drawing in the middle, starts another, and says whether that has begun before the
   * first went on. Another that waits must have joined the queue, which its thread's state shows.
   */
  private boolean overlap(DeviceSlot slot, PipelineLoader loader, int threadsPerImage)
      throws Exception {
    CountDownLatch firstDraws = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    CountDownLatch secondDraws = new CountDownLatch(1);
    Future<Boolean> first =
        drawing(
            slot,
            loader,
            threadsPerImage,
            () -> {
              firstDraws.countDown();
              goOn.await();
              return secondDraws.getCount() == 0;
            });
    firstDraws.await();
    Thread second =
        new Thread(
            () ->
                called(
                    () ->
                        slot.use(
                            loader,
                            threadsPerImage,
                            batch(1),
                            pipeline -> {
                              secondDraws.countDown();
                              return null;
                            })));
    second.start();
    while (secondDraws.getCount() > 0 && second.getState() != Thread.State.WAITING) {
      Thread.onSpinWait();
    }
    goOn.countDown();
    boolean overlapped = first.get();
    second.join();
    assertThat(secondDraws.getCount()).isZero();
    return overlapped;
  }

  @AfterEach
  void stop() throws InterruptedException {
    threads.shutdownNow();
    assertThat(threads.awaitTermination(1, TimeUnit.MINUTES)).isTrue();
  }

  @Test
  void aGpuDrawsOneBatchAtATime() throws Exception {
    assertThat(overlap(slot(Device.cuda(0), GPU), pipeline.loader(), 1)).isFalse();
  }

  /** Whatever threads an image may have on a CPU. */
  @Test
  void aGpuThatTasksShareDrawsABatchOfEach() throws Exception {
    DeviceCapacity shared = new DeviceCapacity(2, Long.MAX_VALUE);
    assertThat(overlap(slot(Device.cuda(0), shared), pipeline.loader(), 2)).isTrue();
  }

  @Test
  void aCpuDrawsAsManyImagesAtOnceAsItHasCores() throws Exception {
    DeviceSlot slot = cpu(3, Long.MAX_VALUE);
    CyclicBarrier together = new CyclicBarrier(3);
    Callable<Integer> meeting = together::await; // never passes unless all three draw at once
    List<Future<Integer>> drawn =
        IntStream.range(0, 3).mapToObj(i -> drawing(slot, pipeline.loader(), 1, meeting)).toList();
    for (Future<Integer> drawing : drawn) {
      assertThat(drawing.get()).isBetween(0, 2);
    }
    assertThat(pipeline.loads).hasValue(1);
  }

  @Test
  void aCpuNeverDrawsMoreImagesThanItHasCores() throws Exception {
    assertThat(overlap(cpu(1, Long.MAX_VALUE), pipeline.loader(), 1)).isFalse();
    assertThat(overlap(cpu(2, Long.MAX_VALUE), pipeline.loader(), 1)).isTrue();
  }

  @Test
  void imagesOfSeveralThreadsShareTheCores() throws Exception {
    assertThat(overlap(cpu(4, Long.MAX_VALUE), pipeline.loader(), 2)).isTrue();
    assertThat(overlap(cpu(3, Long.MAX_VALUE), pipeline.loader(), 2)).isFalse();
    assertThat(overlap(cpu(2, Long.MAX_VALUE), pipeline.loader(), 8)).isFalse();
  }

  @Test
  void whereMemoryIsShortFewerImagesAreDrawnAtOnceButAlwaysOne() throws Exception {
    PipelineLoader loader = new Measured(pipeline.loader());
    assertThat(overlap(cpu(4, 300), loader, 1)).isTrue();
    assertThat(overlap(cpu(4, 299), loader, 1)).isFalse();
    assertThat(overlap(cpu(4, 150), loader, 1)).isFalse();
    assertThat(overlap(cpu(4, 50), loader, 1)).isFalse(); // less than the weights alone
  }

  @Test
  void aDrawingUsesOneThreadUnlessMoreAreWanted() throws Exception {
    DeviceSlot slot = cpu(2, Long.MAX_VALUE);
    assertThat(drawing(slot, pipeline.loader(), 1, Torch::threads).get()).isEqualTo(1);
    assertThat(drawing(slot, pipeline.loader(), 2, Torch::threads).get()).isEqualTo(2);
    assertThat(drawing(slot, pipeline.loader(), 8, Torch::threads).get()).isEqualTo(2);
    assertThat(drawing(slot, pipeline.loader(), 1, Torch::threads).get()).isEqualTo(1);
  }

  @Test
  void anotherPipelineTakesThePlaceOfTheFirstWhenItsLastDrawingEnds() throws Exception {
    DeviceSlot slot = cpu(4, Long.MAX_VALUE);
    SolidColorPipeline other = new SolidColorPipeline();
    CountDownLatch firstDraws = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    Future<Integer> first =
        drawing(
            slot,
            pipeline.loader(),
            1,
            () -> {
              firstDraws.countDown();
              goOn.await();
              return pipeline.closes.get();
            });
    firstDraws.await();
    Future<Integer> second = drawing(slot, other.loader(), 1, pipeline.closes::get);
    goOn.countDown();

    assertThat(first.get()).isZero();
    assertThat(second.get()).isEqualTo(1);
    slot.release(pipeline.loader());
    assertThat(other.closes).hasValue(0);
    slot.release(other.loader());
    assertThat(other.closes).hasValue(1);
  }

  @Test
  void aReleasedPipelineIsClosedWhenItsLastDrawingEnds() throws Exception {
    DeviceSlot slot = cpu(2, Long.MAX_VALUE);
    CountDownLatch draws = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    Future<Integer> drawing =
        drawing(
            slot,
            pipeline.loader(),
            1,
            () -> {
              draws.countDown();
              goOn.await();
              return pipeline.closes.get();
            });
    draws.await();
    Future<?> released = threads.submit(() -> slot.release(pipeline.loader()));
    goOn.countDown();
    released.get();

    assertThat(drawing.get()).isZero();
    assertThat(pipeline.closes).hasValue(1);
  }

  @Test
  void anIdlePipelineIsClosedUnlessARunKeepsIt() throws Exception {
    DeviceSlot slot = cpu(1, Long.MAX_VALUE);
    String key = pipeline.loader().key();
    drawing(slot, pipeline.loader(), 1, () -> 0).get();

    nanos.addAndGet(IDLE.toNanos() - 1);
    slot.closeIfIdle(IDLE, Set.of());
    assertThat(pipeline.closes).hasValue(0);
    drawing(slot, pipeline.loader(), 1, () -> 0).get(); // a new minute begins
    nanos.addAndGet(IDLE.toNanos() - 1);
    slot.closeIfIdle(IDLE, Set.of());
    assertThat(pipeline.closes).hasValue(0);
    nanos.addAndGet(1);
    slot.closeIfIdle(IDLE, Set.of(key));
    assertThat(pipeline.closes).hasValue(0);
    slot.closeIfIdle(IDLE, Set.of("another"));
    assertThat(pipeline.closes).hasValue(1);
    slot.closeIfIdle(IDLE, Set.of());
    assertThat(pipeline.closes).hasValue(1);

    drawing(slot, pipeline.loader(), 1, () -> 0).get();
    assertThat(pipeline.loads).hasValue(2);
  }

  @Test
  void aPipelineThatDrawsIsNotIdle() throws Exception {
    DeviceSlot slot = cpu(1, Long.MAX_VALUE);
    Future<Integer> closes =
        drawing(
            slot,
            pipeline.loader(),
            1,
            () -> {
              nanos.addAndGet(2 * IDLE.toNanos());
              slot.closeIfIdle(IDLE, Set.of());
              return pipeline.closes.get();
            });
    assertThat(closes.get()).isZero();
  }

  @Test
  void aFailedLoadLeavesNothingBehind() throws Exception {
    DeviceSlot slot = cpu(1, Long.MAX_VALUE);
    SolidColorPipeline empty = new SolidColorPipeline().unloadable();
    drawing(slot, pipeline.loader(), 1, () -> 0).get();

    for (int attempt = 0; attempt < 2; attempt++) {
      assertThatThrownBy(() -> drawing(slot, empty.loader(), 1, () -> 0).get())
          .isInstanceOf(ExecutionException.class)
          .hasCauseInstanceOf(LightmillException.class);
    }
    assertThat(pipeline.closes).hasValue(1);
    nanos.addAndGet(2 * IDLE.toNanos());
    slot.closeIfIdle(IDLE, Set.of());
    slot.release(empty.loader());
    assertThat(empty.closes).hasValue(0);
    drawing(slot, pipeline.loader(), 1, () -> 0).get();
    assertThat(pipeline.loads).hasValue(2);
  }

  @Test
  void aThreadThatWaitsInTheQueueCanBeInterrupted() throws Exception {
    DeviceSlot slot = slot(Device.cuda(0), GPU);
    CountDownLatch draws = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    Future<?> first =
        drawing(
            slot,
            pipeline.loader(),
            1,
            () -> {
              draws.countDown();
              goOn.await();
              return null;
            });
    draws.await();
    AtomicInteger drawn = new AtomicInteger();
    Thread next = waiting(slot, drawn);
    Thread behind = waiting(slot, drawn);
    behind.interrupt();
    behind.join();
    next.interrupt();
    next.join();
    goOn.countDown();
    first.get();

    assertThat(drawn).hasValue(0);
    drawing(slot, pipeline.loader(), 1, drawn::incrementAndGet).get();
    assertThat(drawn).hasValue(1);
  }

  private Thread waiting(DeviceSlot slot, AtomicInteger drawn) {
    Thread thread =
        new Thread(
            () -> {
              try {
                slot.use(pipeline.loader(), 1, batch(1), pipeline -> drawn.incrementAndGet());
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });
    thread.start();
    while (thread.getState() != Thread.State.WAITING) {
      Thread.onSpinWait();
    }
    return thread;
  }
}
