package io.lightmill.udfs;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.pipeline.PromptLength;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.udfs.device.Cluster;
import io.lightmill.udfs.device.JobCheckpoint;
import io.lightmill.udfs.device.PipelineLoader;
import io.lightmill.udfs.run.RunResult;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Several GPUs of one machine in local mode, of which one breaks. */
class LocalGpusTest {

  private static final int ROWS = 160;
  private static final int BATCH = 2;
  private static final int BATCHES = 20;
  private static final Device HEALTHY = Device.cuda(0);
  private static final Device BREAKING = Device.cuda(1);

  @TempDir Path directory;

  /** How the second device fails. */
  private enum Fault {
    /** It computes nothing any more. */
    FOR_GOOD,
    /** Its small computations succeed; each batch fails. */
    EACH_BATCH,
    /** It does not even take the model. */
    ON_LOADING
  }

  @Test
  void theTableEndsCompleteAfterADeviceFailedForGood() throws IOException {
    Gpus gpus = new Gpus(Fault.FOR_GOOD, BATCHES);

    assertThat(devices(run(gpus)))
        .isEqualTo(
            Map.of(
                BREAKING.name(),
                (long) BATCHES * BATCH,
                HEALTHY.name(),
                (long) ROWS - BATCHES * BATCH));
    assertThat(gpus.state().begun).hasValue(BATCHES + 1);
  }

  /** Each of its batches fails, then each image alone, which are failed rows. */
  @Test
  void aDeviceThatFailsBatchAfterBatchIsLeft() throws IOException {
    Gpus gpus = new Gpus(Fault.EACH_BATCH, BATCHES);

    RunResult result = run(gpus);

    assertThat(result.summary().labelled())
        .isEqualTo(Map.of("failed", 4L * BATCH, "generated", (long) ROWS - 4 * BATCH));
    assertThat(gpus.state().begun).hasValue(BATCHES + 5 * (1 + BATCH));
  }

  @Test
  void aDeviceThatTakesNoModelIsTriedOnce() throws IOException {
    Gpus gpus = new Gpus(Fault.ON_LOADING, 0);

    assertThat(devices(run(gpus))).isEqualTo(Map.of(HEALTHY.name(), (long) ROWS));
    assertThat(gpus.state().loads).hasValue(1);
  }

  private RunResult run(Gpus gpus) throws IOException {
    TestJob job = TestJob.in(directory, List.of(TestJob.rows(ROWS))).batchSize(BATCH).partitions(4);
    return job.run(
        TestSpark.session(),
        new Cluster(/* cuda= */ true, 2, /* local= */ true, 2),
        () -> new JobCheckpoint(SolidColorPipeline.MODEL, SolidColorPipeline.LIMITS, gpus));
  }

  private static Map<String, Long> devices(RunResult result) {
    assertThat(result.summary().labelled()).isEqualTo(Map.of("generated", (long) ROWS));
    return result.manifest().collectAsList().stream()
        .collect(Collectors.groupingBy(row -> row.<String>getAs("device"), Collectors.counting()));
  }

  /** What both devices share with the test; serialized as a name. */
  private static final class State {
    private final AtomicInteger begun = new AtomicInteger();
    private final AtomicInteger loads = new AtomicInteger();
  }

  /**
   * Loads stand-ins for models onto devices that need not exist.
   *
   * @param healthyBatches that the second device draws before it fails
   */
  private record Gpus(String key, Fault fault, int healthyBatches) implements PipelineLoader {

    private static final Map<String, State> STATES = new ConcurrentHashMap<>();

    Gpus(Fault fault, int healthyBatches) {
      this(UUID.randomUUID().toString(), fault, healthyBatches);
    }

    State state() {
      return STATES.computeIfAbsent(key, absent -> new State());
    }

    @Override
    public PromptLength promptLength() {
      return new SolidColorPipeline.Words();
    }

    @Override
    public DiffusionPipeline load(Device device) {
      if (device.equals(BREAKING)) {
        state().loads.incrementAndGet();
        if (fault == Fault.ON_LOADING) {
          throw new IllegalStateException("CUDA error: uncorrectable ECC error encountered");
        }
      }
      return new Gpu(this, device);
    }
  }

  private record Gpu(Gpus gpus, Device device) implements DiffusionPipeline {

    @Override
    public PipelineLimits limits() {
      return SolidColorPipeline.LIMITS;
    }

    @Override
    public List<RgbImage> generate(List<ImageRequest> batch) {
      if (device.equals(BREAKING) && gpus.state().begun.incrementAndGet() > gpus.healthyBatches()) {
        throw new IllegalStateException("CUDA error: an illegal memory access was encountered");
      }
      return batch.stream().map(SolidColorPipeline::filled).toList();
    }

    @Override
    public void requireWorkingDevice() {
      if (gpus.fault() == Fault.FOR_GOOD) {
        throw new IllegalStateException("CUDA error: an illegal memory access was encountered");
      }
    }

    @Override
    public void close() {}
  }
}
