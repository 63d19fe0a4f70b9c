package io.lightmill.udfs;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.checkpoint.CheckpointCache;
import io.lightmill.pipeline.image.ImageFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import javax.imageio.ImageIO;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole way with a real engine: from a table to pictures of the checkpoint that ships. */
class PocketGenerationTest {

  @TempDir Path directory;

  private GenerationSettings settings(Path table, String output, int batchSize, String runId) {
    return new GenerationSettings(
        new GenerationSettings.Table(
            table.toString(), Optional.empty(), Map.of(), Optional.empty(), OptionalInt.empty()),
        TestTables.DEFAULTS,
        CheckpointCache.BUILTIN_POCKET,
        directory.resolve(output).toString(),
        ImageFormat.PNG,
        Optional.empty(),
        batchSize,
        OptionalInt.empty(),
        DeviceChoice.AUTO,
        Optional.empty(),
        runId,
        new GenerationSettings.Rerun(false, true),
        Optional.empty());
  }

  private ImageGeneration.Result run(GenerationSettings settings) {
    return ImageGeneration.run(TestSpark.session(), settings, TestJob.SILENT);
  }

  private static List<String> hashes(ImageGeneration.Result result) {
    return result.manifest().orderBy("id").collectAsList().stream()
        .map(row -> row.<String>getAs("sha256"))
        .toList();
  }

  @Test
  void tableBecomesPicturesThatDoNotDependOnTheirBatch() throws IOException {
    Path table = directory.resolve("prompts.csv");
    Files.writeString(
        table,
        """
        id,prompt,num_inference_steps,sku
        1,a red circle,2,A
        2,a blue square on a green background,2,B
        3,a yellow triangle,2,C
        """);

    ImageGeneration.Result together = run(settings(table, "together", 4, "one"));
    ImageGeneration.Result alone = run(settings(table, "alone", 1, "one"));
    ImageGeneration.Result again = run(settings(table, "together", 4, "two"));

    assertThat(together.statuses()).isEqualTo(Map.of("generated", 3L));
    assertThat(together.engineSeconds()).isPositive();
    assertThat(hashes(together)).doesNotHaveDuplicates().isEqualTo(hashes(alone));
    assertThat(again.statuses()).isEqualTo(Map.of("reused", 3L));
    assertThat(hashes(again)).isEqualTo(hashes(together));
    for (Row row : together.manifest().collectAsList()) {
      Path image = directory.resolve("together").resolve(row.<String>getAs("path"));
      assertThat(ImageIO.read(image.toFile()).getWidth()).isEqualTo(row.<Integer>getAs("width"));
      assertThat(row.<String>getAs("model")).isEqualTo("builtin:pocket");
      assertThat(row.<String>getAs("model_digest")).isEqualTo(together.modelDigest());
      assertThat(row.<String>getAs("device")).isEqualTo("cpu");
    }
  }
}
