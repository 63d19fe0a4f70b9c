package io.lightmill.pipeline.checks;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.BatchResult;
import io.lightmill.pipeline.BatchWork;
import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.ImageResult;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.pipeline.RgbImage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

/**
 * Chunks of batches pass through the checks as chunks, so that networks still take turns rarely.
 */
class CheckedChunkTest {

  private static final BatchWork WORK =
      new BatchWork(
          Duration.ofMillis(1),
          Duration.ofMillis(2),
          Duration.ofMillis(3),
          Duration.ofMillis(4),
          5,
          2,
          1);

  private final List<List<List<Long>>> chunks = new ArrayList<>();

  /** Draws noise from the seed, black for seeds below 0; fails batches with the seed 13. */
  private final class Noise implements DiffusionPipeline {

    @Override
    public PipelineLimits limits() {
      return CheckedPipelineTest.LIMITS;
    }

    @Override
    public List<RgbImage> generate(List<ImageRequest> batch) {
      throw new AssertionError("chunks are drawn as chunks");
    }

    @Override
    public List<BatchResult> drawChunk(List<List<ImageRequest>> batches, BooleanSupplier goOn) {
      chunks.add(
          batches.stream().map(batch -> batch.stream().map(ImageRequest::seed).toList()).toList());
      List<BatchResult> results = new ArrayList<>();
      for (List<ImageRequest> batch : batches) {
        if (!results.isEmpty() && !goOn.getAsBoolean()) {
          results.add(BatchResult.leftOut(BatchWork.NONE));
        } else if (batch.stream().anyMatch(request -> request.seed() == 13)) {
          results.add(BatchResult.failed(new IllegalStateException("no such kernel"), WORK));
        } else {
          results.add(
              BatchResult.drawn(
                  batch.stream().map(request -> ImageResult.of(noise(request.seed()))).toList(),
                  WORK));
        }
      }
      return results;
    }

    @Override
    public void close() {}
  }

  private static RgbImage noise(long seed) {
    byte[] rgb = new byte[16 * 16 * 3];
    if (seed >= 0) {
      new Random(seed).nextBytes(rgb);
    }
    return new RgbImage(16, 16, rgb);
  }

  private List<BatchResult> draw(BooleanSupplier goOn, List<List<Long>> seeds) {
    try (CheckedPipeline pipeline =
        new CheckedPipeline(new Noise(), CheckSettings.STANDARD, CheckNetworks.NONE)) {
      return pipeline.drawChunk(
          seeds.stream()
              .map(batch -> batch.stream().map(CheckedChunkTest::request).toList())
              .toList(),
          goOn);
    }
  }

  private static ImageRequest request(long seed) {
    return ImageRequest.builder("a mug").width(16).height(16).seed(seed).build();
  }

  @Test
  void aChunkIsDrawnAtOnceAndToldWithItsWork() {
    List<BatchResult> results =
        draw(() -> true, List.of(List.of(1L, -1L), List.of(13L), List.of(2L)));

    assertThat(chunks).containsExactly(List.of(List.of(1L, -1L), List.of(13L), List.of(2L)));
    assertThat(results).extracting(BatchResult::work).containsOnly(WORK);
    assertThat(results.get(0).images().get(0).orElseThrow().rgb()).isEqualTo(noise(1).rgb());
    assertThat(results.get(0).images().get(1).failure().orElseThrow().code())
        .isEqualTo(ErrorCode.IMAGE_BLANK);
    assertThat(results.get(1).failure().orElseThrow()).hasMessage("no such kernel");
    assertThat(results.get(2).images().get(0).orElseThrow().rgb()).isEqualTo(noise(2).rgb());
  }

  @Test
  void aChunkThatIsToEndLeavesOutTheRest() {
    Iterator<Boolean> answers = List.of(true, false, false).iterator();

    assertThat(draw(answers::next, List.of(List.of(1L), List.of(2L), List.of(3L))))
        .extracting(BatchResult::isLeftOut)
        .containsExactly(false, false, true);
  }
}
