package io.lightmill.udfs.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.udfs.SolidColorPipeline;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ModelPreloadTest {

  private static final Cluster LOCAL = new Cluster(false, 2, true, 0);
  private static final Cluster REMOTE = new Cluster(false, 2, false, 0);

  private final SolidColorPipeline pipeline = new SolidColorPipeline();
  private final LoadedPipelines.Run run = LoadedPipelines.run(pipeline.loader());

  @AfterEach
  void release() {
    run.close();
  }

  @Test
  void aDriverThatDrawsLoadsTheModelOnce() throws InterruptedException {
    ModelPreload.of(LOCAL, pipeline.loader(), 3).await();
    ModelPreload.of(LOCAL, pipeline.loader(), 3).await();
    assertThat(pipeline.loads).hasValue(1);
  }

  @Test
  void nothingIsLoadedWhereNothingIsDrawn() throws InterruptedException {
    ModelPreload.of(LOCAL, pipeline.loader(), 0).await();
    ModelPreload.of(REMOTE, pipeline.loader(), 3).await();
    assertThat(pipeline.loads).hasValue(0);
  }

  @Test
  void aModelThatCannotBeLoadedIsLeftToTheTasks() throws InterruptedException {
    pipeline.unloadable();
    ModelPreload.of(LOCAL, pipeline.loader(), 3).await();
    assertThat(pipeline.loadAttempts).hasValue(1);
    assertThat(pipeline.loads).hasValue(0);

    DeviceSlot slot = LoadedPipelines.slot(TaskDevice.local(LOCAL).get(0));
    assertThatThrownBy(() -> slot.load(pipeline.loader())).hasMessageContaining("no weights");
  }
}
