package io.lightmill.udfs.draw;

import io.lightmill.pipeline.BatchResult;
import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.DrawingFacts;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.ImageResult;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.device.DeviceFailures;
import io.lightmill.udfs.manifest.DeviceMillis;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The drawing of one chunk. Batches that fail are drawn again in smaller ones, all that the chunk
 * has of them together: in halves if memory was short, else image by image.
 */
final class ChunkAttempts {

  private static final Logger LOG = LoggerFactory.getLogger(ChunkAttempts.class);
  private static final RepeatedErrors ERRORS = new RepeatedErrors(LOG::warn);
  private static final double NANOS_PER_MILLI = 1e6;

  /** Sees the attempts. */
  @FunctionalInterface
  interface Watch {

    /**
     * A batch or a part of it was tried.
     *
     * @param batch its number in the chunk
     * @param images that were tried at once
     */
    void tried(int batch, int images, BatchResult result);
  }

  /** A batch of the chunk. */
  private static final class Batch {

    private final List<ImageRequest> requests;
    private final DrawnImage[] images;
    private final double[] lostMillis;
    private final List<RuntimeException> ofEngine = new ArrayList<>();

    Batch(List<ImageRequest> requests) {
      this.requests = requests;
      this.images = new DrawnImage[requests.size()];
      this.lostMillis = new double[requests.size()];
    }
  }

  /** Neighbouring images of a batch that are drawn at once. */
  private record Part(Batch batch, int from, int to) {

    List<ImageRequest> requests() {
      return batch.requests.subList(from, to);
    }

    int size() {
      return to - from;
    }

    List<Part> cut(int size) {
      List<Part> parts = new ArrayList<>();
      for (int start = from; start < to; start += size) {
        parts.add(new Part(batch, start, Math.min(to, start + size)));
      }
      return parts;
    }
  }

  private final DiffusionPipeline pipeline;
  private final BooleanSupplier goOn;
  private final Watch watch;
  private final List<Batch> batches;

  /**
   * @param goOn whether one more batch of the chunk may begin
   */
  ChunkAttempts(
      DiffusionPipeline pipeline,
      List<List<ImageRequest>> chunk,
      BooleanSupplier goOn,
      Watch watch) {
    this.pipeline = pipeline;
    this.goOn = chunk.size() == 1 ? () -> true : goOn; // a batch that has begun is finished
    this.watch = watch;
    this.batches = chunk.stream().map(Batch::new).toList();
  }

  /** The images of one batch of the chunk, and the errors of the engine among its failures. */
  record Drawn(List<DrawnImage> images, List<RuntimeException> ofEngine) {}

  /**
   * Draws the chunk.
   *
   * @throws io.lightmill.udfs.device.BrokenDeviceException if the device no longer works
   */
  List<Drawn> drawn() {
    List<Part> parts =
        batches.stream().map(batch -> new Part(batch, 0, batch.requests.size())).toList();
    while (!parts.isEmpty()) {
      List<BatchResult> results =
          pipeline.drawChunk(parts.stream().map(Part::requests).toList(), goOn);
      if (results.size() != parts.size()) {
        throw new IllegalStateException(
            "%d results for %d batches".formatted(results.size(), parts.size()));
      }
      List<Part> again = new ArrayList<>();
      for (int i = 0; i < results.size(); i++) {
        watch.tried(batches.indexOf(parts.get(i).batch()), parts.get(i).size(), results.get(i));
        again.addAll(settled(parts.get(i), results.get(i)));
      }
      parts = again;
    }
    return batches.stream()
        .map(batch -> new Drawn(Arrays.asList(batch.images), batch.ofEngine))
        .toList();
  }

  /** Takes the results of a part and returns the parts that are to be drawn again. */
  private List<Part> settled(Part part, BatchResult result) {
    Optional<RuntimeException> failure = result.failure();
    if (failure.isPresent()) {
      return again(part, failure.get(), result);
    }
    if (!result.isLeftOut() && result.images().size() != part.size()) {
      throw new IllegalStateException(
          "%d images for %d requests".formatted(result.images().size(), part.size()));
    }
    for (int i = 0; i < part.size(); i++) {
      int at = part.from() + i;
      part.batch().images[at] =
          result.isLeftOut()
              ? DrawnImage.LEFT_OUT
              : image(result.images().get(i), millis(part, at, result));
    }
    return List.of();
  }

  private List<Part> again(Part part, RuntimeException failure, BatchResult result) {
    if (DeviceFailures.mayBreak(failure)) {
      DeviceFailures.requireWorking(pipeline, failure);
    }
    if (part.size() == 1) {
      if (DeviceFailures.ofEngine(failure)) {
        part.batch().ofEngine.add(failure);
      }
      part.batch().images[part.from()] =
          new DrawnImage(
              null, known(failure), DrawingFacts.NONE, millis(part, part.from(), result));
      return List.of();
    }
    double lost = result.work().total().toNanos() / NANOS_PER_MILLI / part.size();
    for (int i = part.from(); i < part.to(); i++) {
      part.batch().lostMillis[i] += lost;
    }
    if (DeviceFailures.outOfMemory(failure)) {
      ERRORS.add("A batch is too large for the memory; it is drawn in halves", failure);
      return part.cut((part.size() + 1) / 2);
    }
    ERRORS.add("A batch failed; its images are drawn one by one", failure);
    return part.cut(1);
  }

  private static DeviceMillis millis(Part part, int at, BatchResult result) {
    return DeviceMillis.share(result.work(), part.size(), part.batch().lostMillis[at]);
  }

  private static DrawnImage image(ImageResult result, DeviceMillis millis) {
    result.failure().ifPresent(e -> ERRORS.add("An image could not be drawn", e));
    return new DrawnImage(
        result.image().orElse(null), result.failure().orElse(null), result.facts(), millis);
  }

  private static LightmillException known(RuntimeException e) {
    ERRORS.add("An image could not be drawn", e);
    return e instanceof LightmillException known
        ? known
        : new LightmillException(
            ErrorCode.GENERATION_FAILED, "the engine failed to draw this image: " + e, e);
  }
}
