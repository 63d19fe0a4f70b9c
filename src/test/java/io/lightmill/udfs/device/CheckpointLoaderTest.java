package io.lightmill.udfs.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import io.lightmill.udfs.store.SharedConfiguration;
import org.junit.jupiter.api.Test;

class CheckpointLoaderTest {

  @Test
  void aNodeWithOtherWeightsThanTheDriversDrawsNothing() {
    CheckpointLoader loader =
        new CheckpointLoader(
            "src/test/resources/reference/flux-schnell/checkpoint",
            "0".repeat(64),
            DType.F32,
            Loading.PLAIN,
            Map.of(),
            new SharedConfiguration(new Configuration(false)));

    assertThatThrownBy(() -> loader.load(Device.CPU))
        .isInstanceOfSatisfying(
            LightmillException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.WEIGHTS_INVALID))
        .hasMessageContaining("flux-schnell/checkpoint' holds other files here than on the driver");
  }
}
