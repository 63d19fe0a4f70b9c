package io.lightmill.udfs.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.udfs.PaintStudio;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ModelPreloadTest {

  private static final Cluster LOCAL = new Cluster(false, 2, true, 0);
  private static final Cluster REMOTE = new Cluster(false, 2, false, 0);

  private final PaintStudio studio = new PaintStudio();
  private final LoadedPipelines.Run run = LoadedPipelines.run(studio.loader());

  @AfterEach
  void release() {
    run.close();
  }

  @Test
  void aDriverThatDrawsLoadsTheModelOnce() throws InterruptedException {
    ModelPreload.of(LOCAL, studio.loader(), 3).await();
    ModelPreload.of(LOCAL, studio.loader(), 3).await();
    assertThat(studio.loads).hasValue(1);
  }

  @Test
  void nothingIsLoadedWhereNothingIsDrawn() throws InterruptedException {
    ModelPreload.of(LOCAL, studio.loader(), 0).await();
    ModelPreload.of(REMOTE, studio.loader(), 3).await();
    assertThat(studio.loads).hasValue(0);
  }

  @Test
  void aModelThatCannotBeLoadedIsLeftToTheTasks() throws InterruptedException {
    studio.unloadable();
    ModelPreload.of(LOCAL, studio.loader(), 3).await();
    assertThat(studio.loadAttempts).hasValue(1);
    assertThat(studio.loads).hasValue(0);

    DeviceSlot slot = LoadedPipelines.slot(TaskDevice.local(LOCAL).get(0));
    assertThatThrownBy(() -> slot.load(studio.loader())).hasMessageContaining("no weights");
  }
}
