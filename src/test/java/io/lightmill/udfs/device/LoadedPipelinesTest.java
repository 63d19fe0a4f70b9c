package io.lightmill.udfs.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.Device;
import io.lightmill.udfs.PaintStudio;
import org.junit.jupiter.api.Test;

class LoadedPipelinesTest {

  private final PaintStudio studio = new PaintStudio();

  @Test
  void theLastOfTheRunsThatUseAPipelineClosesIt() throws InterruptedException {
    LoadedPipelines.Run first = LoadedPipelines.run(studio.loader());
    LoadedPipelines.Run second = LoadedPipelines.run(studio.loader());
    LoadedPipelines.slot(Device.CPU).load(studio.loader());

    second.close();
    assertThat(studio.closes).hasValue(0);
    LoadedPipelines.slot(Device.CPU).load(studio.loader());
    assertThat(studio.loads).hasValue(1);

    first.close();
    assertThat(studio.closes).hasValue(1);
  }

  @Test
  void aRunLeavesThePipelinesOfOthersAlone() throws InterruptedException {
    PaintStudio other = new PaintStudio();
    LoadedPipelines.Run run = LoadedPipelines.run(studio.loader());
    LoadedPipelines.slot(Device.CPU).load(studio.loader());

    LoadedPipelines.run(other.loader()).close();
    assertThat(studio.closes).hasValue(0);
    run.close();
    assertThat(studio.closes).hasValue(1);
  }
}
