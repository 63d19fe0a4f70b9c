package io.lightmill.udfs.playground;

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
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.IntConsumer;
import org.apache.commons.lang3.exception.ExceptionUtils;

/**
 * Draws one image after the other, in the order of the requests for them, on a thread of its own: a
 * cancellation interrupts this thread before its next step, and never one that writes to a
 * connection, which would close it.
 */
final class Drawings implements AutoCloseable {

  /** More would wait for minutes, and hold a thread each. */
  private static final int MOST_WAITING = 16;

  private static final String STEP = "latents.";
  private static final int END = -1;

  private final DiffusionPipeline pipeline;
  private final int threads;
  private final ExecutorService device = Executors.newSingleThreadExecutor();
  private final Map<String, Request> active = new ConcurrentHashMap<>();

  /**
   * @param threads that draw an image on a CPU
   */
  Drawings(DiffusionPipeline pipeline, int threads) {
    this.pipeline = pipeline;
    this.threads = threads;
  }

  /** The drawings of one request of a page, one after the other, until it is closed. */
  final class Request implements AutoCloseable {

    private final String id;
    private boolean cancelled;
    private FutureTask<RgbImage> drawing;

    private Request(String id) {
      this.id = id;
    }

    /**
     * Draws an image as a run does, once it is its turn.
     *
     * @param steps receives the number of steps that are finished, on the calling thread
     * @throws CancellationException if the request is cancelled
     */
    RgbImage draw(ImageRequest request, IntConsumer steps) {
      BlockingQueue<Integer> finished = new LinkedBlockingQueue<>();
      try {
        FutureTask<RgbImage> task = begin(request, finished);
        for (int step = finished.take(); step != END; step = finished.take()) {
          steps.accept(step);
        }
        return task.get();
      } catch (ExecutionException e) {
        throw ExceptionUtils.<RuntimeException>rethrow(e.getCause());
      } catch (InterruptedException e) { // the server ends
        throw new CancellationException("the playground ends");
      } finally {
        end();
      }
    }

    private synchronized FutureTask<RgbImage> begin(
        ImageRequest request, BlockingQueue<Integer> finished) {
      if (cancelled) {
        throw new CancellationException("the request is cancelled");
      }
      drawing =
          new FutureTask<>(() -> drawn(request, finished)) {
            @Override
            protected void done() {
              finished.add(END);
            }
          };
      device.execute(drawing);
      return drawing;
    }

    /** Ends what still draws, if the page does not wait for it any more. */
    private synchronized void end() {
      if (drawing != null) {
        drawing.cancel(/* mayInterruptIfRunning= */ true);
      }
    }

    private synchronized void cancel() {
      cancelled = true;
      end();
    }

    @Override
    public void close() {
      active.remove(id);
    }
  }

  /**
   * Begins a request.
   *
   * @param id by which {@link #cancel} names it
   * @throws LightmillException with {@code CONFIGURATION_INVALID} if too many wait
   */
  synchronized Request request(String id) {
    if (active.size() >= MOST_WAITING || active.containsKey(id)) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "%d requests wait already; try again when some are finished".formatted(active.size()));
    }
    Request request = new Request(id);
    active.put(id, request);
    return request;
  }

  /** Requests that draw or wait. */
  int size() {
    return active.size();
  }

  /** Cancels a request; none if there is none with this id. */
  void cancel(String id) {
    Request request = active.get(id);
    if (request != null) {
      request.cancel();
    }
  }

  private RgbImage drawn(ImageRequest request, BlockingQueue<Integer> steps) {
    TensorProbe probe =
        (name, tensor) -> {
          if (name.startsWith(STEP)) {
            steps.add(Integer.parseInt(name.substring(STEP.length())) + 1);
          }
        };
    return Torch.withThreads(
        threads,
        () ->
            pipeline instanceof FlowPipeline flow
                ? flow.generate(List.of(request), probe).get(0)
                : pipeline.generate(List.of(request)).get(0));
  }

  /** Cancels all requests and frees the weights when nothing draws any more. */
  @Override
  public void close() {
    active.keySet().forEach(this::cancel);
    device.execute(pipeline::close);
    device.shutdown();
  }
}
