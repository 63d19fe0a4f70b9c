package io.lightmill.jobs.playground;

import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.flow.FlowPipeline;
import io.lightmill.pipeline.torch.TensorProbe;
import io.lightmill.pipeline.torch.Torch;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;

/**
 * Draws one image after the other, in the order of the requests for them, each on the thread that
 * requests it. A drawing is cancelled before its next step.
 */
final class Drawings implements AutoCloseable {

  /** More would wait for minutes, and hold a thread each. */
  private static final int MOST_WAITING = 16;

  private static final String STEP = "latents.";

  private final DiffusionPipeline pipeline;
  private final int threads;
  private final Semaphore device = new Semaphore(1, /* fair= */ true);
  private final AtomicInteger waiting = new AtomicInteger();
  private final Map<String, Thread> active = new ConcurrentHashMap<>();
  private volatile boolean closed;

  /**
   * @param threads that draw an image on a CPU
   */
  Drawings(DiffusionPipeline pipeline, int threads) {
    this.pipeline = pipeline;
    this.threads = threads;
  }

  /** Work on one request of a page, which may draw several images. */
  @FunctionalInterface
  interface Work {
    void run() throws InterruptedException;
  }

  /**
   * Does work that {@link #cancel} may end.
   *
   * @param id of the work
   * @throws CancellationException if it was cancelled
   * @throws LightmillException with {@code CONFIGURATION_INVALID} if too many wait
   */
  void run(String id, Work work) {
    if (waiting.incrementAndGet() > MOST_WAITING) {
      waiting.decrementAndGet();
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "%d drawings wait already; try again when some are finished".formatted(MOST_WAITING));
    }
    active.put(id, Thread.currentThread());
    try {
      work.run();
    } catch (InterruptedException e) {
      throw new CancellationException("cancelled while waiting");
    } finally {
      synchronized (active) {
        active.remove(id);
        Thread.interrupted(); // of a cancellation, which is done
      }
      waiting.decrementAndGet();
    }
  }

  /** Drawings that are active or wait. */
  int size() {
    return waiting.get();
  }

  /** Ends the work with this id; none if there is no such work. */
  void cancel(String id) {
    synchronized (active) {
      Thread thread = active.get(id);
      if (thread != null) {
        thread.interrupt();
      }
    }
  }

  /**
   * Draws an image as a run does, once it is its turn.
   *
   * @param steps receives the number of steps that are finished
   */
  RgbImage draw(ImageRequest request, IntConsumer steps) throws InterruptedException {
    device.acquire();
    try {
      if (closed) {
        throw new CancellationException("the playground ends");
      }
      TensorProbe probe =
          (name, tensor) -> {
            if (name.startsWith(STEP)) {
              steps.accept(Integer.parseInt(name.substring(STEP.length())) + 1);
            }
          };
      return Torch.withThreads(
          threads,
          () ->
              pipeline instanceof FlowPipeline flow
                  ? flow.generate(List.of(request), probe).get(0)
                  : pipeline.generate(List.of(request)).get(0));
    } finally {
      device.release();
    }
  }

  /** Cancels all drawings and frees the weights. */
  @Override
  public void close() {
    closed = true;
    active.keySet().forEach(this::cancel);
    device.acquireUninterruptibly();
    pipeline.close();
  }
}
