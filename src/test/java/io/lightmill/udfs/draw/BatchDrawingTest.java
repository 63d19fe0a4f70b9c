package io.lightmill.udfs.draw;

import static io.lightmill.udfs.SolidColorPipeline.batch;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.SolidColorPipeline;
import io.lightmill.udfs.device.BrokenDeviceException;
import io.lightmill.udfs.device.LoadedPipelines;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class BatchDrawingTest {

  private static final String KEY = "16x16";

  private final SolidColorPipeline pipeline = new SolidColorPipeline();
  private final BatchDrawing drawing =
      new BatchDrawing(LoadedPipelines.slot(Device.CPU), pipeline.loader(), 1, 8, () -> {});

  private final List<Integer> worked = new ArrayList<>();

  @AfterEach
  void closePipeline() {
    LoadedPipelines.run(pipeline.loader()).close();
  }

  private List<DrawnImage> draw(List<ImageRequest> batch) throws InterruptedException {
    return draw(List.of(batch), () -> true).get(0);
  }

  private List<List<DrawnImage>> draw(List<List<ImageRequest>> chunk, BooleanSupplier goOn)
      throws InterruptedException {
    return drawing.draw(
        chunk.stream().map(batch -> new BatchDrawing.KeyedBatch(KEY, batch)).toList(),
        goOn,
        (images, work) -> worked.add(images));
  }

  @Test
  void failedBatchIsDrawnImageByImage() throws InterruptedException {
    pipeline.failing(
        requests -> {
          if (requests.stream().anyMatch(request -> request.seed() == 1)) {
            throw new IllegalStateException("shape '[4, 2]' is invalid for input of size 7");
          }
        });

    List<DrawnImage> drawn = draw(batch(3));

    assertThat(pipeline.batches).extracting(List::size).containsExactly(3, 1, 1, 1);
    assertThat(drawn)
        .extracting(image -> image.failure() == null)
        .containsExactly(true, false, true);
    assertThat(drawn.get(1).failure().code()).isEqualTo(ErrorCode.GENERATION_FAILED);
    assertThat(drawn.get(1).failure()).hasMessageContaining("shape '[4, 2]' is invalid");
    assertThat(drawn.get(2).image().rgb()[0]).isEqualTo((byte) 2);
    assertThat(pipeline.deviceChecks).hasValue(0);
  }

  @Test
  void aDeviceErrorOfADeviceThatWorksIsTheImagesOwn() throws InterruptedException {
    pipeline.failing(
        requests -> {
          if (requests.stream().anyMatch(request -> request.seed() == 1)) {
            throw new IllegalStateException("CUBLAS_STATUS_NOT_SUPPORTED");
          }
        });

    assertThat(draw(batch(3)))
        .extracting(image -> image.failure() == null)
        .containsExactly(true, false, true);
    assertThat(pipeline.deviceChecks).hasValue(2);
  }

  @Test
  void aBrokenDeviceFailsTheTaskAtOnceAndDrawsNothingMore() {
    pipeline.breakDevice();

    for (int task = 0; task < 2; task++) {
      assertThatThrownBy(() -> draw(batch(3)))
          .isInstanceOf(BrokenDeviceException.class)
          .hasMessageContaining("CUDA error: device-side assert triggered");
    }
    assertThat(pipeline.batches).extracting(List::size).containsExactly(3);
    assertThat(pipeline.deviceChecks).hasValue(1);
  }

  @Test
  void aBatchWhoseImagesAllFailInTheEngineShowsThatTheDeviceIsBroken() {
    pipeline.failing(
        requests -> {
          pipeline.breakDevice();
          throw new IllegalStateException("unspecified launch failure");
        });

    assertThatThrownBy(() -> draw(batch(2))).isInstanceOf(BrokenDeviceException.class);
  }

  @Test
  void aBatchWhoseImagesAllFailOnADeviceThatWorksIsFailedRows() throws InterruptedException {
    pipeline.failing(
        requests -> {
          throw new IllegalStateException("no kernel for this size");
        });

    assertThat(draw(batch(2)))
        .allSatisfy(
            image -> assertThat(image.failure().code()).isEqualTo(ErrorCode.GENERATION_FAILED));
    assertThat(pipeline.deviceChecks).hasValue(1);
  }

  @Test
  void aDeviceThatFailsBatchAfterBatchIsBroken() throws InterruptedException {
    AtomicInteger healthy = new AtomicInteger(3);
    pipeline.failing(
        requests -> {
          if (healthy.get() <= 0) {
            throw new IllegalStateException("CUBLAS_STATUS_EXECUTION_FAILED");
          }
        });
    for (int round = 0; round < 2; round++) {
      healthy.set(0);
      for (int i = 0; i < 4; i++) {
        assertThat(draw(batch(2))).allSatisfy(image -> assertThat(image.failure()).isNotNull());
      }
      healthy.set(1);
      draw(batch(1)); // the failures are no longer in a row
    }
    healthy.set(0);
    for (int i = 0; i < 4; i++) {
      draw(batch(2));
    }
    assertThatThrownBy(() -> draw(batch(2)))
        .isInstanceOf(BrokenDeviceException.class)
        .hasMessage(
            "cpu fails 5 batches in a row: java.lang.IllegalStateException:"
                + " CUBLAS_STATUS_EXECUTION_FAILED");
    int before = pipeline.batches.size();
    assertThatThrownBy(() -> draw(batch(2))).isInstanceOf(BrokenDeviceException.class);
    assertThat(pipeline.batches).hasSize(before);
  }

  @Test
  void lackOfMemoryNeverBreaksADevice() throws InterruptedException {
    pipeline.failing(
        requests -> {
          throw new IllegalStateException("CUDA error: out of memory");
        });
    for (int i = 0; i < 10; i++) {
      assertThat(draw(batch(1)).get(0).failure()).isNotNull();
    }
  }

  @Test
  void lackOfMemoryIsNoBrokenDevice() throws InterruptedException {
    pipeline.failing(
        requests -> {
          if (requests.size() > 1) {
            throw new IllegalStateException("CUDA error: out of memory");
          }
        });

    assertThat(draw(batch(2))).allSatisfy(i -> assertThat(i.failure()).isNull());
    assertThat(pipeline.deviceChecks).hasValue(0);
  }

  @Test
  void badRequestsAreNoReasonToDoubtTheDevice() throws InterruptedException {
    pipeline.failing(
        requests -> {
          throw new LightmillException(ErrorCode.VALUE_INVALID, "no such adapter");
        });

    assertThat(draw(batch(2)))
        .allSatisfy(image -> assertThat(image.failure()).hasMessage("no such adapter"));
    assertThat(pipeline.deviceChecks).hasValue(0);
  }

  @Test
  void batchTooLargeForTheDeviceCostsNoImage() throws InterruptedException {
    pipeline.failing(
        requests -> {
          if (requests.size() > 1) {
            throw new LightmillException(ErrorCode.GENERATION_FAILED, "out of memory");
          }
        });

    assertThat(draw(batch(4))).allSatisfy(i -> assertThat(i.failure()).isNull());
  }

  @Test
  void killedTaskDoesNotTakeItsInterruptionForAFailedImage() {
    List<Thread> interrupted = new ArrayList<>();
    pipeline.failing(
        requests -> {
          interrupted.add(Thread.currentThread());
          Thread.currentThread().interrupt();
          throw new IllegalStateException("interrupted inside the engine");
        });

    assertThatThrownBy(() -> draw(batch(2))).hasMessage("interrupted inside the engine");
    assertThat(Thread.interrupted()).isTrue();
    assertThat(interrupted).hasSize(1);
  }

  @Test
  void aBatchTooLargeForTheMemoryIsDrawnInHalvesAndTheNextOnesAreSmaller()
      throws InterruptedException {
    pipeline.failing(
        requests -> {
          if (requests.size() > 2) {
            throw new IllegalStateException("CUDA out of memory. Tried to allocate 2.00 GiB");
          }
        });
    assertThat(drawing.batchSize(KEY, 0)).isEqualTo(8);

    List<DrawnImage> drawn = draw(batch(7));

    assertThat(drawn).extracting(image -> image.image().rgb()[0]).containsExactly(bytes(7));
    assertThat(pipeline.batches).extracting(List::size).containsExactly(7, 4, 3, 2, 2, 2, 1);
    assertThat(worked).containsExactly(7, 4, 3, 2, 2, 2, 1);
    assertThat(pipeline.deviceChecks).hasValue(0);
    assertThat(drawing.batchSize(KEY, 0)).isEqualTo(1); // half of 3
    assertThat(drawing.batchSize("other", 0)).isEqualTo(8);
    assertThat(drawn)
        .allSatisfy(
            image -> assertThat(image.millis().total()).isGreaterThan(image.millis().denoise()));
  }

  @Test
  void theFailedBatchesOfAChunkAreDrawnAgainTogether() throws InterruptedException {
    pipeline.failing(
        requests -> {
          if (requests.stream().anyMatch(request -> request.seed() == 1)) {
            throw new IllegalStateException("no such kernel");
          }
        });

    List<List<DrawnImage>> drawn = draw(List.of(batch(2), batch(1), batch(3)), () -> true);

    assertThat(pipeline.batches).extracting(List::size).containsExactly(2, 1, 3, 1, 1, 1, 1, 1);
    assertThat(drawn)
        .allSatisfy(
            batch -> {
              for (int i = 0; i < batch.size(); i++) {
                assertThat(batch.get(i).failure() != null).isEqualTo(i == 1);
              }
            })
        .extracting(List::size)
        .containsExactly(2, 1, 3);
  }

  @Test
  void aChunkThatIsToEndLeavesOutTheRest() throws InterruptedException {
    Iterator<Boolean> answers = List.of(true, false).iterator();

    List<List<DrawnImage>> drawn =
        draw(List.of(batch(1), batch(2), batch(1), batch(1)), answers::next);

    assertThat(drawn)
        .extracting(batch -> batch.get(0).isLeftOut())
        .containsExactly(false, false, true, true);
    assertThat(pipeline.batches).extracting(List::size).containsExactly(1, 2);
  }

  /** The signs of the images' seeds, which are their colours. */
  private static Byte[] bytes(int images) {
    return IntStream.range(0, images).mapToObj(seed -> (byte) seed).toArray(Byte[]::new);
  }
}
