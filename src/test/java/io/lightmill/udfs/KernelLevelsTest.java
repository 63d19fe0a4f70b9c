package io.lightmill.udfs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * An image is the same to the last bit alone, in a batch, and while another thread draws, whatever
 * kernels libtorch, MKL and oneDNN choose: so one machine stands for several.
 */
class KernelLevelsTest {

  private static final Map<String, String> AVX2 =
      Map.of(
          "ATEN_CPU_CAPABILITY", "avx2",
          "MKL_ENABLE_INSTRUCTIONS", "AVX2",
          "ONEDNN_MAX_CPU_ISA", "AVX2");

  private static final Map<String, String> LOWEST =
      Map.of(
          "ATEN_CPU_CAPABILITY", "default",
          "MKL_ENABLE_INSTRUCTIONS", "SSE4_2",
          "ONEDNN_MAX_CPU_ISA", "SSE41");

  @TempDir Path directory;

  @Test
  void anImageDependsOnNoOtherUnderAnyKernels() throws Exception {
    Map<String, List<String>> digests = new HashMap<>();
    for (Map<String, String> level : List.of(Map.<String, String>of(), AVX2, LOWEST)) {
      List<String> lines = drawn(level);
      assertThat(lines)
          .as("images under %s", level)
          .hasSize(
              KernelLevelDrawing.CHECKPOINTS.size()
                  * KernelLevelDrawing.SUBJECTS.size()
                  * KernelLevelDrawing.IMAGES);
      for (String line : lines) {
        List<String> fields = Arrays.asList(line.split("\t", -1));
        assertThat(fields.subList(2, fields.size()))
            .as("digests of %s under %s", fields.subList(0, 2), level)
            .hasSize(3)
            .containsOnly(fields.get(2));
      }
      digests.put(level.toString(), lines);
    }
    assertThat(digests.get(LOWEST.toString()))
        .as("other kernels round otherwise; if not, no level was forced")
        .isNotEqualTo(digests.get("{}"));
  }

  private List<String> drawn(Map<String, String> level) throws IOException, InterruptedException {
    Path out = directory.resolve("out");
    Path err = directory.resolve("err");
    ProcessBuilder jvm =
        TestJvm.of(
            "512m",
            KernelLevelDrawing.class.getName(),
            List.of(directory.resolve("cache").toString()));
    jvm.environment().putAll(level);
    int status = jvm.redirectOutput(out.toFile()).redirectError(err.toFile()).start().waitFor();
    assertThat(status).as(() -> text(err)).isZero();
    return Files.readAllLines(out, StandardCharsets.UTF_8);
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return "no text: " + e;
    }
  }
}
