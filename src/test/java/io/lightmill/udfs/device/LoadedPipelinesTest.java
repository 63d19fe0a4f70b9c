package io.lightmill.udfs.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.pipeline.PromptLength;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.udfs.SolidColorPipeline;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class LoadedPipelinesTest {

  private final SolidColorPipeline pipeline = new SolidColorPipeline();

  @Test
  void theLastOfTheRunsThatUseAPipelineClosesIt() throws InterruptedException {
    LoadedPipelines.Run first = LoadedPipelines.run(pipeline.loader());
    LoadedPipelines.Run second = LoadedPipelines.run(pipeline.loader());
    LoadedPipelines.slot(Device.CPU).load(pipeline.loader());

    second.close();
    assertThat(pipeline.closes).hasValue(0);
    LoadedPipelines.slot(Device.CPU).load(pipeline.loader());
    assertThat(pipeline.loads).hasValue(1);

    first.close();
    assertThat(pipeline.closes).hasValue(1);
  }

  /** The next run begins while the last one closes the pipeline. */
  @Test
  void aRunThatEndsLeavesThePromptLengthOfTheNextRunOpen() throws InterruptedException {
    List<Counted> lengths = new CopyOnWriteArrayList<>();
    AtomicReference<PromptLength> ofNext = new AtomicReference<>();
    List<LoadedPipelines.Run> next = new CopyOnWriteArrayList<>();
    Loader loader = new Loader("prompt length", lengths, new CopyOnWriteArrayList<>());
    loader
        .closing()
        .add(
            () -> {
              next.add(LoadedPipelines.run(loader));
              ofNext.set(LoadedPipelines.promptLength(loader));
            });
    LoadedPipelines.Run first = LoadedPipelines.run(loader);
    LoadedPipelines.slot(Device.CPU).load(loader);
    PromptLength ofFirst = LoadedPipelines.promptLength(loader);

    first.close();

    assertThat(ofNext.get()).isNotSameAs(ofFirst);
    assertThat(lengths).extracting(length -> length.closed().get()).containsExactly(true, false);
    next.get(0).close();
    assertThat(lengths).extracting(length -> length.closed().get()).containsExactly(true, true);
  }

  @Test
  void anIdlePromptLengthIsClosedUnlessARunUsesItAndLoadedAgain() {
    List<Counted> lengths = new CopyOnWriteArrayList<>();
    Loader loader = new Loader("idle prompt length", lengths, new CopyOnWriteArrayList<>());
    PromptLength length = LoadedPipelines.promptLength(loader);

    LoadedPipelines.closeIdle(Duration.ofDays(1));
    assertThat(lengths).extracting(one -> one.closed().get()).containsExactly(false);
    LoadedPipelines.closeIdle(Duration.ZERO);
    assertThat(lengths).extracting(one -> one.closed().get()).containsExactly(true);

    LoadedPipelines.Run run = LoadedPipelines.run(loader);
    assertThat(length.tokens("a mug")).isEqualTo(5);
    LoadedPipelines.closeIdle(Duration.ZERO);
    assertThat(lengths).extracting(one -> one.closed().get()).containsExactly(true, false);
    run.close();
    assertThat(lengths).extracting(one -> one.closed().get()).containsExactly(true, true);
  }

  private record Counted(AtomicBoolean closed) implements PromptLength {

    @Override
    public int tokens(String prompt) {
      return prompt.length();
    }

    @Override
    public void close() {
      closed.set(true);
    }
  }

  /** Runs actions when its pipeline is closed, each once. */
  private record Loader(String key, List<Counted> lengths, List<Runnable> closing)
      implements PipelineLoader {

    @Override
    public PromptLength promptLength() {
      Counted length = new Counted(new AtomicBoolean());
      lengths.add(length);
      return length;
    }

    @Override
    public DiffusionPipeline load(Device device) {
      return new DiffusionPipeline() {
        @Override
        public PipelineLimits limits() {
          return SolidColorPipeline.LIMITS;
        }

        @Override
        public List<RgbImage> generate(List<ImageRequest> batch) {
          throw new UnsupportedOperationException();
        }

        @Override
        public void close() {
          List.copyOf(closing).forEach(Runnable::run);
          closing.clear();
        }
      };
    }
  }

  @Test
  void aRunLeavesThePipelinesOfOthersAlone() throws InterruptedException {
    SolidColorPipeline other = new SolidColorPipeline();
    LoadedPipelines.Run run = LoadedPipelines.run(pipeline.loader());
    LoadedPipelines.slot(Device.CPU).load(pipeline.loader());

    LoadedPipelines.run(other.loader()).close();
    assertThat(pipeline.closes).hasValue(0);
    run.close();
    assertThat(pipeline.closes).hasValue(1);
  }
}
