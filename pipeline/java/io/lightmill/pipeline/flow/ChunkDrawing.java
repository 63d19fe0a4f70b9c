package io.lightmill.pipeline.flow;

import io.lightmill.pipeline.BatchResult;
import io.lightmill.pipeline.BatchWork;
import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.ImageResult;
import io.lightmill.pipeline.checkpoint.Loading;
import io.lightmill.pipeline.torch.ModelOffload;
import io.lightmill.pipeline.torch.TensorProbe;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Draws batches through the three phases. Where networks take turns on the device, all batches of a
 * chunk go through one phase before the next, so that each network is loaded once. A failure of one
 * batch does not affect the others.
 */
final class ChunkDrawing {

  private final FlowPipeline pipeline;
  private final LoadedNetworks networks;
  private final Device device;
  private final DType dtype;
  private final TensorProbe probe;

  ChunkDrawing(
      FlowPipeline pipeline,
      LoadedNetworks networks,
      Device device,
      DType dtype,
      TensorProbe probe) {
    this.pipeline = pipeline;
    this.networks = networks;
    this.device = device;
    this.dtype = dtype;
    this.probe = probe;
  }

  /**
   * The results of a batch.
   *
   * @throws RuntimeException if the batch fails as a whole
   */
  List<ImageResult> results(List<ImageRequest> batch) {
    return inTurn(alone(batch), () -> true).stream()
        .flatMap(result -> result.orElseThrow().stream())
        .toList();
  }

  /** Draws a chunk, see {@link io.lightmill.pipeline.DiffusionPipeline#drawChunk}. */
  List<BatchResult> draw(List<List<ImageRequest>> batches, BooleanSupplier goOn) {
    List<List<ImageRequest>> parts =
        batches.stream().flatMap(batch -> alone(batch).stream()).toList();
    Iterator<BatchResult> results = inTurn(parts, goOn).iterator();
    return batches.stream()
        .map(batch -> alone(batch).stream().map(part -> results.next()).toList())
        .map(ChunkDrawing::joined)
        .toList();
  }

  /** A batch as what the device draws at once: a CPU draws each image alone. */
  private List<List<ImageRequest>> alone(List<ImageRequest> batch) {
    return device.equals(Device.CPU) ? batch.stream().map(List::of).toList() : List.of(batch);
  }

  /** The results for the parts of a batch as one. */
  private static BatchResult joined(List<BatchResult> parts) {
    BatchWork work = parts.stream().map(BatchResult::work).reduce(BatchWork.NONE, BatchWork::plus);
    Optional<RuntimeException> failure =
        parts.stream().flatMap(part -> part.failure().stream()).findFirst();
    if (failure.isPresent()) {
      return BatchResult.failed(failure.get(), work);
    }
    return parts.stream().anyMatch(BatchResult::isLeftOut)
        ? BatchResult.leftOut(work)
        : BatchResult.drawn(parts.stream().flatMap(part -> part.images().stream()).toList(), work);
  }

  private List<BatchResult> inTurn(List<List<ImageRequest>> parts, BooleanSupplier goOn) {
    if (networks.offloaded()) {
      return byPhase(parts, goOn);
    }
    List<BatchResult> results = new ArrayList<>();
    boolean stopped = false;
    for (List<ImageRequest> part : parts) {
      stopped = stopped || (!results.isEmpty() && !goOn.getAsBoolean());
      results.add(
          stopped ? BatchResult.leftOut(BatchWork.NONE) : byPhase(List.of(part), goOn).get(0));
    }
    return results;
  }

  /** A batch with the results of its phases. */
  private static final class Part {

    private final int images;
    private final CheckedDrawing drawing;
    private List<ImageResult> results = List.of();
    private RuntimeException failure;
    private boolean leftOut;
    private Duration encode = Duration.ZERO;
    private Duration denoise = Duration.ZERO;
    private Duration decode = Duration.ZERO;

    Part(int images, CheckedDrawing drawing) {
      this.images = images;
      this.drawing = drawing;
    }

    private boolean over() {
      return leftOut || failure != null;
    }

    private void fail(RuntimeException e) {
      BatchResult.failed(e, BatchWork.NONE); // throws if the thread is interrupted
      failure = e;
      drawing.close();
    }

    /**
     * @param load of the chunk; each image has the same share
     * @param before images of the parts before this one
     * @param all images of the chunk
     */
    private BatchResult result(ModelOffload.Loads load, int before, int all) {
      BatchWork work =
          new BatchWork(
              encode,
              denoise,
              decode,
              Duration.ofNanos(share(load.nanos(), before, all)),
              share(load.bytes(), before, all),
              drawing.prompts(),
              drawing.cachedPrompts());
      if (failure != null) {
        return BatchResult.failed(failure, work);
      }
      return leftOut ? BatchResult.leftOut(work) : BatchResult.drawn(results, work);
    }

    /** Rounded so that the shares of all parts add up to the whole. */
    private long share(long whole, int before, int all) {
      return whole * (before + images) / all - whole * before / all;
    }
  }

  /** Keeps other threads off the device meanwhile if networks take turns on it. */
  List<BatchResult> byPhase(List<List<ImageRequest>> batches, BooleanSupplier goOn) {
    try (LoadedNetworks.Lease lease = networks.lease(batches.get(0).get(0).lora());
        Loading open = new Loading()) {
      ModelOffload.Loads before = networks.loads();
      FlowNetworks loaded = lease.networks();
      List<Part> parts =
          batches.stream()
              .map(
                  batch ->
                      new Part(
                          batch.size(),
                          open.add(new CheckedDrawing(pipeline, loaded, batch, dtype, probe))))
              .toList();
      Part first = parts.get(0);
      boolean stopped = false;
      for (Part part : parts) {
        stopped = stopped || (part != first && !goOn.getAsBoolean());
        part.leftOut = stopped;
        part.encode = timed(part, part.drawing::encode);
      }
      for (Part part : parts) {
        stopped = stopped || (part != first && !part.over() && !goOn.getAsBoolean());
        part.leftOut |= stopped && part != first;
        networks.denoising().denoise(() -> part.denoise = timed(part, part.drawing::denoise));
      }
      for (Part part : parts) {
        part.decode = timed(part, () -> part.results = part.drawing.decode());
      }
      ModelOffload.Loads load = networks.loads().since(before);
      int all = batches.stream().mapToInt(List::size).sum();
      List<BatchResult> results = new ArrayList<>();
      int done = 0;
      for (Part part : parts) {
        results.add(part.result(load, done, all));
        done += part.images;
      }
      return results;
    }
  }

  /**
   * The time of a phase without that of loading its networks; nothing is done for a failed part.
   */
  private Duration timed(Part part, Runnable phase) {
    if (part.over()) {
      return Duration.ZERO;
    }
    long start = System.nanoTime();
    ModelOffload.Loads before = networks.loads();
    try {
      phase.run();
    } catch (RuntimeException e) {
      part.fail(e);
    }
    long loading = networks.loads().since(before).nanos();
    return Duration.ofNanos(System.nanoTime() - start - loading);
  }
}
