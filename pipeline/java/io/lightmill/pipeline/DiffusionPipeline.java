package io.lightmill.pipeline;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import java.util.function.BooleanSupplier;

/**
 * A loaded checkpoint that generates images from requests. Safe for use by several threads.
 *
 * <p>Needs neither Spark nor Hadoop:
 *
 * <pre>{@code
 * try (DiffusionPipeline pipeline = DiffusionPipeline.load(Path.of("FLUX.1-schnell"), Device.cuda(0))) {
 *   ImageRequest request = pipeline.request("a red mug").seed(7).build();
 *   RgbImage image = pipeline.generate(List.of(request)).get(0);
 * }
 * }</pre>
 */
public interface DiffusionPipeline extends AutoCloseable {

  /** What the checkpoint accepts, and its defaults. */
  PipelineLimits limits();

  /**
   * A request that starts with the defaults of this checkpoint, which tables have too: size, steps,
   * guidance and prompt length of its model card, else of diffusers' pipeline; and seed 0.
   */
  default ImageRequest.Builder request(String prompt) {
    return ImageRequest.builder(prompt, limits().defaults());
  }

  /**
   * Generates one image per request, in order. On a CPU each image is drawn alone and depends on
   * its own request to the last bit. Other devices draw the requests as one batch, and the rounding
   * of an image depends on the size of the batch.
   *
   * @param batch requests with one {@link BatchKey}
   * @throws LightmillException if a request cannot be met, and with {@code IMAGE_NOT_FINITE} if a
   *     network computes NaN or infinity for one of the images
   * @throws java.util.concurrent.CancellationException if the thread is interrupted; its interrupt
   *     status stays set
   */
  List<RgbImage> generate(List<ImageRequest> batch);

  /**
   * As {@link #generate}, with the failures of single images as results: they do not affect the
   * other images of the batch.
   *
   * @return one result per request, in order
   * @throws LightmillException if a request cannot be met
   */
  default List<ImageResult> results(List<ImageRequest> batch) {
    return generate(batch).stream().map(ImageResult::of).toList();
  }

  /**
   * Draws several batches. Where text encoders, transformer and autoencoder take turns on the
   * device, all batches go through one phase before the networks change places, so that the chunk
   * loads each network once.
   *
   * @param batches at least one, each of requests with one {@link BatchKey}; all with the same
   *     adapters
   * @param goOn whether one more batch may begin; asked before each batch but the first. Once it is
   *     false, the other batches are left out, and those that have begun are finished
   * @return one result per batch, in order; the failure of a batch does not affect the others
   * @throws java.util.concurrent.CancellationException if the thread is interrupted
   */
  default List<BatchResult> drawChunk(List<List<ImageRequest>> batches, BooleanSupplier goOn) {
    List<BatchResult> results = new ArrayList<>();
    boolean stopped = false;
    for (List<ImageRequest> batch : batches) {
      stopped = stopped || (!results.isEmpty() && !goOn.getAsBoolean());
      if (stopped) {
        results.add(BatchResult.leftOut(BatchWork.NONE));
        continue;
      }
      long start = System.nanoTime();
      try {
        List<ImageResult> images = results(batch);
        results.add(BatchResult.drawn(images, BatchWork.ofUnknownPhases(since(start))));
      } catch (RuntimeException e) {
        results.add(BatchResult.failed(e, BatchWork.ofUnknownPhases(since(start))));
      }
    }
    return results;
  }

  private static Duration since(long start) {
    return Duration.ofNanos(System.nanoTime() - start);
  }

  /**
   * Runs a tiny computation on the device of the networks.
   *
   * @throws RuntimeException if the device fails it
   */
  default void requireWorkingDevice() {}

  /** Frees the weights, once no thread uses them. */
  @Override
  void close();

  /**
   * Loads a checkpoint onto the CPU, in 32-bit floats.
   *
   * @param checkpoint directory in diffusers' layout
   * @throws LightmillException if the checkpoint is missing, damaged or of an unknown pipeline
   *     class
   */
  static DiffusionPipeline load(Path checkpoint) {
    return load(checkpoint, Device.CPU);
  }

  /** Loads a checkpoint: in 32-bit floats onto the CPU, in bfloat16 onto any other device. */
  static DiffusionPipeline load(Path checkpoint, Device device) {
    return load(checkpoint, device, device.equals(Device.CPU) ? DType.F32 : DType.BF16);
  }

  /**
   * Loads a checkpoint.
   *
   * @param dtype that the networks compute in
   */
  static DiffusionPipeline load(Path checkpoint, Device device, DType dtype) {
    return ServiceLoader.load(PipelineProvider.class, DiffusionPipeline.class.getClassLoader())
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalStateException(
                    "no PipelineProvider is on the class path; add Lightmill's jar with its"
                        + " META-INF/services"))
        .load(checkpoint, device, dtype);
  }
}
