package io.lightmill.jobs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.apache.spark.resource.ResourceInformation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Tests {@code scripts/gpu-discovery} with a script in place of nvidia-smi, and parses its output
 * as Spark does.
 */
class GpuDiscoveryTest {

  @TempDir Path tools;

  private record Answer(int status, String out, String err) {

    String[] addresses() {
      ResourceInformation gpu = ResourceInformation.parseJson(out);
      assertThat(gpu.name()).isEqualTo("gpu");
      return gpu.addresses();
    }
  }

  /** Installs an nvidia-smi that reports these MIG modes, one GPU per line. */
  private void gpus(String... modes) throws IOException {
    Path smi = tools.resolve("nvidia-smi");
    Files.writeString(
        smi,
        "#!/bin/sh\n"
            + "[ \"$1 $2\" = '--query-gpu=mig.mode.current --format=csv,noheader' ] || exit 9\n"
            + (modes.length == 0 ? "" : "echo '%s'\n".formatted(String.join("\n", modes))));
    Files.setPosixFilePermissions(smi, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private Answer discover(Map<String, String> environment) throws Exception {
    ProcessBuilder script = new ProcessBuilder("scripts/gpu-discovery");
    script.environment().remove("CUDA_VISIBLE_DEVICES");
    script.environment().put("PATH", tools + ":/usr/bin:/bin");
    script.environment().putAll(environment);
    Path err = tools.resolve("err");
    Process process = script.redirectError(err.toFile()).start();
    String out = new String(process.getInputStream().readAllBytes(), UTF_8);
    return new Answer(process.waitFor(), out, Files.readString(err));
  }

  @Test
  void everyGpuOfTheMachineHasAnIndex() throws Exception {
    gpus("[N/A]", "Disabled", "Disabled");

    assertThat(discover(Map.of()).addresses()).containsExactly("0", "1", "2");
  }

  @ParameterizedTest
  @CsvSource({
    "'3,5', '0,1'",
    "GPU-8f1e, 0",
    "'MIG-a1,MIG-b2', 0", // a process can use one instance
    "'', ''",
    "-1, ''",
  })
  void visibleGpusAreNumberedFromZero(String visible, String addresses) throws Exception {
    gpus("Disabled", "Disabled", "Disabled", "Disabled");

    assertThat(String.join(",", discover(Map.of("CUDA_VISIBLE_DEVICES", visible)).addresses()))
        .isEqualTo(addresses);
  }

  @Test
  void aProcessCanUseOneMigInstance() throws Exception {
    gpus("Enabled", "Enabled");

    assertThat(discover(Map.of()).addresses()).containsExactly("0");
  }

  @Test
  void aMachineWithoutGpusHasNone() throws Exception {
    gpus();

    assertThat(discover(Map.of()).addresses()).isEmpty();
  }

  @Test
  void aMissingNvidiaSmiIsReported() throws Exception {
    Answer answer = discover(Map.of());

    assertThat(answer.status()).isEqualTo(1);
    assertThat(answer.out()).isEmpty();
    assertThat(answer.err()).contains("cannot find nvidia-smi", "CUDA_VISIBLE_DEVICES");
  }

  @Test
  void aFailingDriverIsAnError() throws Exception {
    Path smi = tools.resolve("nvidia-smi");
    Files.writeString(smi, "#!/bin/sh\necho 'Failed to initialize NVML'\nexit 255\n");
    Files.setPosixFilePermissions(smi, PosixFilePermissions.fromString("rwxr-xr-x"));

    Answer answer = discover(Map.of());

    assertThat(answer.status()).isEqualTo(1);
    assertThat(answer.err()).contains("nvidia-smi failed: Failed to initialize NVML");
  }
}
