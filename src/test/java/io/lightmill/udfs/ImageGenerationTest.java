package io.lightmill.udfs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageGenerationTest {

  @TempDir Path directory;

  private final PaintStudio studio = new PaintStudio();

  private TestJob job(String... lines) throws IOException {
    Path table = directory.resolve("prompts.csv");
    Files.writeString(table, String.join("\n", lines) + "\n");
    return new TestJob(table, directory.resolve("out"));
  }

  @Test
  void drawsEveryRowOnce() throws IOException {
    ImageGeneration.Result result =
        job("id,prompt,sku", "1,a red mug,R1", "2,a blue mug,B2", "3,,C3").run(studio);

    result.manifest().show(false);
    System.out.println(result);
    assertThat(result.statuses()).isEqualTo(Map.of("generated", 2L, "invalid", 1L));
  }
}
