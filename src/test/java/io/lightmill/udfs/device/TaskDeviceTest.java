package io.lightmill.udfs.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.Device;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class TaskDeviceTest {

  private static final Cluster CPUS = new Cluster(false, 8, true, 0);
  private static final Cluster GPUS = new Cluster(true, 8, false, 0);
  private static final Cluster NOTEBOOK = new Cluster(true, 2, true, 2);

  @Test
  void aTaskDrawsOnTheGpuThatSparkGaveIt() {
    assertThat(TaskDevice.of(GPUS, 5, Optional.of("3"))).isEqualTo(Device.cuda(3));
    assertThat(TaskDevice.of(GPUS, 5, Optional.empty())).isEqualTo(Device.CPU);
  }

  @Test
  void inLocalModeTheGpusTakeTurns() {
    assertThat(TaskDevice.of(NOTEBOOK, 4, Optional.empty())).isEqualTo(Device.cuda(0));
    assertThat(TaskDevice.of(NOTEBOOK, 5, Optional.empty())).isEqualTo(Device.cuda(1));
    assertThat(TaskDevice.local(NOTEBOOK)).containsExactly(Device.cuda(0), Device.cuda(1));
    assertThat(TaskDevice.local(CPUS)).containsExactly(Device.CPU);
  }

  @Test
  void otherGpusOfALocalMachineTakeThePlaceOfABrokenOne() {
    assertThat(TaskDevice.candidates(NOTEBOOK, Device.cuda(1)))
        .containsExactly(Device.cuda(1), Device.cuda(0));
    assertThat(TaskDevice.candidates(GPUS, Device.cuda(3))).containsExactly(Device.cuda(3));
    assertThat(TaskDevice.candidates(CPUS, Device.CPU)).containsExactly(Device.CPU);
  }

  @Test
  void aJobOnTheCpuLeavesTheGpuAlone() {
    assertThat(TaskDevice.of(CPUS, 5, Optional.of("3"))).isEqualTo(Device.CPU);
  }

  @Test
  void anAddressThatIsNoIndexIsRefused() {
    assertThatThrownBy(() -> TaskDevice.of(GPUS, 0, Optional.of("GPU-8f2a")))
        .hasMessageContaining("'GPU-8f2a'")
        .hasMessageContaining("discovery script");
  }
}
