package io.lightmill.udfs;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.CheckpointCache;
import io.lightmill.pipeline.checkpoint.ReferenceCheckpoint;
import io.lightmill.pipeline.families.Families;
import io.lightmill.pipeline.flow.FlowPipeline;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.apache.commons.codec.digest.DigestUtils;

/**
 * Draws the same images in several ways with the kernels of this process, and prints for each image
 * {@code subject, image, digest, way, …}, where the digests of all ways follow. Kernels are chosen
 * when a process starts.
 */
final class KernelLevelDrawing {

  static final int IMAGES = 8;

  /** Small images with and without guidance, and larger ones, which take other kernels. */
  static final List<Subject> SUBJECTS =
      List.of(new Subject(64, false), new Subject(64, true), new Subject(128, false));

  static final List<String> CHECKPOINTS = List.of("pocket", "flux-dev");

  /** A size and whether guidance evaluates both prompts. */
  record Subject(int side, boolean guided) {}

  private final FlowPipeline pipeline;

  private KernelLevelDrawing(FlowPipeline pipeline) {
    this.pipeline = pipeline;
  }

  /**
   * @param arguments the cache that the shipped checkpoint is unpacked to
   */
  public static void main(String[] arguments) throws Exception {
    for (String name : CHECKPOINTS) {
      Path directory =
          name.equals("pocket")
              ? new CheckpointCache(Path.of(arguments[0])).localize(CheckpointCache.BUILTIN_POCKET)
              : ReferenceCheckpoint.of(name);
      try (FlowPipeline pipeline =
          Families.load(Checkpoint.open(directory), Device.CPU, DType.F32)) {
        for (Subject subject : SUBJECTS) {
          new KernelLevelDrawing(pipeline).print(name, subject);
        }
      }
    }
  }

  private void print(String checkpoint, Subject subject) throws Exception {
    List<ImageRequest> requests =
        IntStream.range(0, IMAGES).mapToObj(i -> request(i, subject)).toList();
    List<String> alone = new ArrayList<>();
    for (ImageRequest request : requests) {
      alone.addAll(digests(List.of(request)));
    }
    List<String> together = digests(requests);
    List<String> atOnce = atOnce(requests);
    for (int i = 0; i < IMAGES; i++) {
      System.out.printf(
          "%s %d %s\t%d\t%s\t%s\t%s%n",
          checkpoint,
          subject.side,
          subject.guided,
          i,
          alone.get(i),
          together.get(i),
          atOnce.get(i));
    }
  }

  /** Half of the images by one thread while another draws the others. */
  private List<String> atOnce(List<ImageRequest> requests) throws Exception {
    CyclicBarrier start = new CyclicBarrier(2);
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try {
      List<Callable<List<String>>> halves = new ArrayList<>();
      for (int half = 0; half < 2; half++) {
        List<ImageRequest> mine = requests.subList(half * IMAGES / 2, (half + 1) * IMAGES / 2);
        halves.add(
            () -> {
              start.await();
              return digests(mine);
            });
      }
      List<String> digests = new ArrayList<>();
      for (Future<List<String>> half : threads.invokeAll(halves)) {
        digests.addAll(half.get());
      }
      return digests;
    } finally {
      threads.shutdownNow();
    }
  }

  private List<String> digests(List<ImageRequest> requests) {
    return pipeline.generate(requests).stream()
        .map(RgbImage::rgb)
        .map(DigestUtils::sha256Hex)
        .toList();
  }

  private static ImageRequest request(int number, Subject subject) {
    Optional<String> negative = subject.guided ? Optional.of("blurry " + number) : Optional.empty();
    String prompt = "a %s".formatted("very ".repeat(number)) + "red mug on a table";
    return ImageRequest.builder(prompt)
        .negativePrompt(negative.orElse(null))
        .width(subject.side)
        .height(subject.side)
        .numInferenceSteps(1)
        .guidanceScale(3.5)
        .trueCfgScale(subject.guided ? 2.5 : 1)
        .maxSequenceLength(32)
        .seed(number)
        .build();
  }
}
