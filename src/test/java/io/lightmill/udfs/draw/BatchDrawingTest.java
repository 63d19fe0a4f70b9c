package io.lightmill.udfs.draw;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.PaintStudio;
import io.lightmill.udfs.device.LoadedPipelines;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BatchDrawingTest {

  private final PaintStudio studio = new PaintStudio();
  private final BatchDrawing drawing =
      new BatchDrawing(LoadedPipelines.slot(Device.CPU), studio.loader(), 1, () -> {});

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
  void failedBatchIsDrawnImageByImage() throws InterruptedException {
    studio.failing(
        requests -> {
          if (requests.stream().anyMatch(request -> request.seed() == 1)) {
            throw new IllegalStateException("CUDA error: device-side assert");
          }
        });

    List<DrawnImage> drawn = drawing.draw(batch(3));

    assertThat(studio.batches).extracting(List::size).containsExactly(3, 1, 1, 1);
    assertThat(drawn)
        .extracting(image -> image.failure() == null)
        .containsExactly(true, false, true);
    assertThat(drawn.get(1).failure().code()).isEqualTo(ErrorCode.GENERATION_FAILED);
    assertThat(drawn.get(1).failure()).hasMessageContaining("CUDA error: device-side assert");
    assertThat(drawn.get(2).image().rgb()[0]).isEqualTo((byte) 2);
  }

  @Test
  void batchTooLargeForTheDeviceCostsNoImage() throws InterruptedException {
    studio.failing(
        requests -> {
          if (requests.size() > 1) {
            throw new LightmillException(ErrorCode.GENERATION_FAILED, "out of memory");
          }
        });

    assertThat(drawing.draw(batch(4))).allSatisfy(i -> assertThat(i.failure()).isNull());
  }

  @Test
  void killedTaskDoesNotTakeItsInterruptionForAFailedImage() {
    List<Thread> interrupted = new ArrayList<>();
    studio.failing(
        requests -> {
          interrupted.add(Thread.currentThread());
          Thread.currentThread().interrupt();
          throw new IllegalStateException("interrupted inside the engine");
        });

    assertThatThrownBy(() -> drawing.draw(batch(2))).hasMessage("interrupted inside the engine");
    assertThat(Thread.interrupted()).isTrue();
    assertThat(interrupted).hasSize(1);
  }
}
