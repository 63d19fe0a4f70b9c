package io.lightmill.udfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Jobs that cannot be done say so before anything is drawn. */
class RefusedGenerationTest {

  @TempDir Path directory;

  private final SolidColorPipeline pipeline = new SolidColorPipeline();

  private Path output() {
    return directory.resolve("out");
  }

  private TestJob job(String... lines) throws IOException {
    return TestJob.in(directory, List.of(lines));
  }

  private static void assertRefused(
      TestJob job, SolidColorPipeline pipeline, ErrorCode code, String... said) {
    assertThatThrownBy(() -> job.run(pipeline))
        .isInstanceOfSatisfying(LightmillException.class, e -> assertThat(e.code()).isEqualTo(code))
        .hasMessageContainingAll(said);
    assertThat(pipeline.loads).hasValue(0);
  }

  @Test
  void collidingPathsAreRefusedBeforeAnythingIsDrawn() throws IOException {
    assertRefused(
        job("id,prompt,sku", "1,a mug,A", "2,a jug,A", "3,a cup,B").pathTemplate("{sku}"),
        pipeline,
        ErrorCode.CONFIGURATION_INVALID,
        "'images/A.png' (images ",
        "add {image_id}");
    assertThat(output().resolve("images")).doesNotExist();
  }

  @Test
  void tablesAndSettingsThatCannotServeAreRefusedBeforeAnythingIsLoaded() throws IOException {
    assertRefused(job("id,prompt"), pipeline, ErrorCode.INPUT_INVALID, "no rows");
    assertRefused(job("id,prompt", "1,a", "1,b"), pipeline, ErrorCode.ID_DUPLICATE, "'1' (2 rows)");
    assertRefused(
        job("id,caption", "1,a"), pipeline, ErrorCode.INPUT_INVALID, "--column prompt=caption");
    assertRefused(
        job("id,prompt,path", "1,a,b"),
        pipeline,
        ErrorCode.INPUT_INVALID,
        "column 'path' of the prompt table clashes");
    assertRefused(
        job("id,prompt", "1,a").width(33),
        pipeline,
        ErrorCode.CONFIGURATION_INVALID,
        "defaults of the job: width 33");
    assertRefused(
        job("id,prompt", "1,a").pathTemplate("{sku}"),
        pipeline,
        ErrorCode.CONFIGURATION_INVALID,
        "names {sku}, which no row has");
  }

  @Test
  void outputThatCannotBeWrittenIsRefused() throws IOException {
    Files.writeString(output(), "a file");

    assertRefused(
        job("id,prompt", "1,a mug"), pipeline, ErrorCode.OUTPUT_UNWRITABLE, output().toString());
  }

  @Test
  void checkpointThatCannotBeLoadedFailsTheJobWithItsOwnWords() throws IOException {
    SolidColorPipeline broken = new SolidColorPipeline().unloadable();

    assertThatThrownBy(() -> job("id,prompt", "1,a mug").run(broken))
        .isInstanceOfSatisfying(
            LightmillException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.WEIGHTS_INVALID))
        .hasMessage("this pipeline has no weights");
    assertThat(output().resolve("manifest/first.parquet")).doesNotExist();
  }
}
