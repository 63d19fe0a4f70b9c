package io.lightmill.udfs;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.ImageRequest;
import io.lightmill.udfs.run.RunResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Images that are there already, from an earlier run or another row. */
class ReusedImagesTest {

  @TempDir Path directory;

  private final SolidColorPipeline pipeline = new SolidColorPipeline();

  private Path output() {
    return directory.resolve("out");
  }

  private TestJob job(String... lines) throws IOException {
    return TestJob.in(directory, List.of(lines));
  }

  private static List<Row> rows(RunResult result) {
    return result.manifest().orderBy("id", "variant").collectAsList();
  }

  private List<Path> imageFiles() throws IOException {
    try (Stream<Path> files = Files.walk(output().resolve("images"))) {
      return files.filter(Files::isRegularFile).toList();
    }
  }

  @Test
  void laterRunDrawsOnlyWhatIsNotThere() throws IOException {
    RunResult first = job("id,prompt", "1,a mug", "2,a jug").run(pipeline);
    SolidColorPipeline other = new SolidColorPipeline();
    RunResult second =
        job("id,prompt", "1,a mug", "2,a red jug", "3,a cup").runId("second").run(other);

    assertThat(second.summary().labelled()).isEqualTo(Map.of("generated", 2L, "reused", 1L));
    Row drawn = rows(first).get(0);
    Row reused = rows(second).get(0);
    for (String column : List.of("image_id", "path", "bytes", "sha256", "format")) {
      assertThat(reused.<Object>getAs(column)).isEqualTo(drawn.getAs(column));
    }
    assertThat(reused.<String>getAs("run_id")).isEqualTo("second");
    assertThat(prompts(other)).containsExactlyInAnyOrder("a red jug", "a cup");

    SolidColorPipeline third = new SolidColorPipeline();
    assertThat(job("id,prompt", "1,a mug").runId("third").run(third).summary().labelled())
        .isEqualTo(Map.of("reused", 1L));
    assertThat(third.loads).hasValue(0);
  }

  @Test
  void forceDrawsEverythingAgain() throws IOException {
    TestJob job = job("id,prompt", "1,a mug");
    job.run(pipeline);

    assertThat(job.runId("second").force().run(pipeline).summary().labelled())
        .isEqualTo(Map.of("generated", 1L));
  }

  @Test
  void failedAndInvalidRowsAreTriedAgain() throws IOException {
    pipeline.failing(
        batch -> {
          throw new IllegalStateException("engine is down");
        });
    TestJob job = job("id,prompt,width", "1,a mug,", "2,a jug,33");
    assertThat(job.run(pipeline).summary().labelled())
        .isEqualTo(Map.of("failed", 1L, "invalid", 1L));

    SolidColorPipeline fixed = new SolidColorPipeline();
    assertThat(job.runId("second").run(fixed).summary().labelled())
        .isEqualTo(Map.of("generated", 1L, "invalid", 1L));
  }

  @Test
  void pathThatAnotherImageTookIsNotReused() throws IOException {
    job("id,prompt,sku", "1,a mug,A").pathTemplate("{sku}").run(pipeline);
    job("id,prompt,sku", "1,a jug,A").pathTemplate("{sku}").runId("second").run(pipeline);
    RunResult third =
        job("id,prompt,sku", "1,a mug,A").pathTemplate("{sku}").runId("third").run(pipeline);

    assertThat(third.summary().labelled()).isEqualTo(Map.of("generated", 1L));
    assertThat(imageFiles()).containsExactly(output().resolve("images/A.png"));
  }

  @Test
  void rowsOfTheSameImageShareOneDrawing() throws IOException {
    RunResult result = job("id,prompt,seed", "1,mug,5", "2,mug,5", "3,jug,5").run(pipeline);

    assertThat(result.summary().labelled()).isEqualTo(Map.of("generated", 2L, "reused", 1L));
    assertThat(prompts(pipeline)).containsExactlyInAnyOrder("mug", "jug");
    List<Row> rows = rows(result);
    assertThat(rows.get(1).<String>getAs("sha256")).isEqualTo(rows.get(0).getAs("sha256"));
  }

  @Test
  void rowsOfTheSameImageKeepTheNamesTheyChose() throws IOException {
    RunResult result =
        job("id,prompt,seed,sku", "1,mug,5,A/1", "2,mug,5,B").pathTemplate("{sku}").run(pipeline);

    assertThat(result.summary().labelled()).isEqualTo(Map.of("generated", 2L));
    assertThat(prompts(pipeline)).containsExactly("mug");
    assertThat(imageFiles())
        .containsExactlyInAnyOrder(
            output().resolve("images/A_1.png"), output().resolve("images/B.png"));
  }

  private static List<String> prompts(SolidColorPipeline pipeline) {
    return pipeline.batches.stream().flatMap(List::stream).map(ImageRequest::prompt).toList();
  }
}
