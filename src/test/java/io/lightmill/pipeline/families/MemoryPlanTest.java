package io.lightmill.pipeline.families;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ReferenceCheckpoint;
import io.lightmill.pipeline.checkpoint.SafetensorsFile;
import io.lightmill.pipeline.checkpoint.TensorEntry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MemoryPlanTest {

  private static final Path PUBLISHED = Path.of("src/test/resources/published");

  /** Parameters as diffusers counts them: the configs are those of the models. */
  @ParameterizedTest
  @CsvSource({
    "FLUX.1-dev, 11901408320",
    "FLUX.1-schnell, 11891178560",
    "stable-diffusion-3.5-large, 8056627520",
    "Qwen-Image, 20430401088",
    "Z-Image, 6154908736"
  })
  void transformersHaveTheirPublishedSize(String model, long parameters) {
    // The learned positions of Stable Diffusion 3 are a buffer, which nobody counts.
    long positions = model.startsWith("stable") ? 192L * 192 * 38 * 64 : 0;
    assertThat(published(model).network("transformer").parameters() - positions)
        .isEqualTo(parameters);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "FLUX.1-dev",
        "FLUX.1-schnell",
        "stable-diffusion-3.5-large",
        "stable-diffusion-3.5-medium",
        "Qwen-Image",
        "Z-Image",
        "FLUX.2-klein-4B",
        "FLUX.2-klein-9B"
      })
  void theReadmesTableIsComputed(String model) throws IOException {
    MemoryPlan plan = published(model);
    String row =
        String.format(
            Locale.ROOT,
            "| %s | %s | %s | %s | %s | %s | %s |",
            model,
            gib(plan.network("text_encoder").weights()),
            gib(plan.network("transformer").weights()),
            gib(plan.network("vae").weights()),
            gib(
                plan.networks().stream()
                    .mapToLong(MemoryPlan.Network::activations)
                    .max()
                    .orElse(0)),
            gib(plan.peakResident()),
            gib(plan.peakOffloaded()));
    assertThat(Files.readString(Path.of("CHECKPOINTS.md"))).contains(row);
  }

  /** A network's own weights in a file, and nothing else, are what is planned. */
  @Test
  void weightsAreThoseOfTheFiles() {
    Path directory = ReferenceCheckpoint.of("flux-dev");
    MemoryPlan plan = MemoryPlan.of(Checkpoint.open(directory), DType.F32, 64, 32, 10, 3);
    SafetensorsFile file =
        SafetensorsFile.open(directory.resolve("transformer/diffusion_pytorch_model.safetensors"));
    assertThat(plan.network("transformer").weights())
        .isEqualTo(file.tensors().values().stream().mapToLong(TensorEntry::bytes).sum());
    // 16 pixels along the side of a token; the widest layer reads attention and feed-forward
    // together.
    long widest = 160;
    long tokens = 64 * 32 / (16 * 16) + 10;
    assertThat(plan.network("transformer").activations())
        .isEqualTo(3 * tokens * (6 * 32 + 2 * widest) * 4);
  }

  @Test
  void turnsTakeTheLargestAndTogetherAllIsThere() {
    MemoryPlan plan =
        new MemoryPlan(
            List.of(
                new MemoryPlan.Network("text_encoder", 5, 10, 1),
                new MemoryPlan.Network("transformer", 10, 20, 5),
                new MemoryPlan.Network("vae", 1, 2, 30)),
            1);
    assertThat(plan.peakResident()).isEqualTo(10 + 20 + 2 + 30);
    assertThat(plan.peakOffloaded()).isEqualTo(2 + 30);
    assertThat(plan.network("absent").weights()).isZero();
  }

  private static MemoryPlan published(String model) {
    return MemoryPlan.of(Checkpoint.open(PUBLISHED.resolve(model)), DType.BF16, 1024, 1024, 512, 1);
  }

  private static String gib(long bytes) {
    return String.format(Locale.ROOT, "%.1f", bytes / (double) (1L << 30));
  }
}
