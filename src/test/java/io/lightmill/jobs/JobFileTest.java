package io.lightmill.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.GenerationSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JobFileTest {

  @TempDir Path directory;

  @Test
  void keysStandForOptions() throws IOException {
    GenerationSettings settings =
        parsed(
                """
                input: /data/prompts.csv
                output: out
                prompt-template: "{name}: 100 % {color}, on \\"marble\\""
                column:
                  prompt: caption text
                  id: sku
                limit: 3
                guidance-scale: 3.50
                truncate-prompts: true
                format: jpeg
                seed: 12345678901
                """)
            .settings();
    assertThat(settings.table().location()).isEqualTo("/data/prompts.csv");
    assertThat(settings.table().promptTemplate()).contains("{name}: 100 % {color}, on \"marble\"");
    assertThat(settings.table().columns())
        .containsExactlyInAnyOrderEntriesOf(Map.of("prompt", "caption text", "id", "sku"));
    assertThat(settings.table().limit()).hasValue(3);
    assertThat(settings.defaults().guidanceScale()).contains(3.5);
    assertThat(settings.defaults().truncatePrompts()).isTrue();
    assertThat(settings.defaults().seed()).isEqualTo(12345678901L);
    assertThat(settings.format().extension()).isEqualTo("jpg");
  }

  @Test
  void theCommandLineWins() throws IOException {
    GenerationSettings settings =
        parsed(
                """
                input: a.csv
                output: out
                width: 64
                height: 96
                truncate-prompts: true
                """,
                "--width=128",
                "--truncate-prompts=false",
                "--input=b.csv")
            .settings();
    assertThat(settings.defaults().width()).hasValue(128);
    assertThat(settings.defaults().height()).hasValue(96);
    assertThat(settings.defaults().truncatePrompts()).isFalse();
    assertThat(settings.table().location()).isEqualTo("b.csv");
  }

  @Test
  void whatMayBeRepeatedIsMergedAndTheCommandLineWinsByName() throws IOException {
    ParsedGenerate parsed =
        parsed(
            """
            input: a.csv
            output: out
            column: {prompt: caption, id: sku}
            conf:
              - spark.executor.extraJavaOptions=-Da=b,c -Dd=e
              - spark.ui.enabled=true
            """,
            "--column=id=number",
            "--column=seed=noise",
            "--conf=spark.ui.enabled=false");
    assertThat(parsed.settings().table().columns())
        .isEqualTo(Map.of("prompt", "caption", "id", "number", "seed", "noise"));
    assertThat(parsed.asked().get("conf"))
        .isEqualTo(
            Map.of(
                "spark.executor.extraJavaOptions", "-Da=b,c -Dd=e", "spark.ui.enabled", "false"));
  }

  @Test
  void whatTheJobReadsIsBesideTheFileAndWhatItWritesIsNot() throws IOException {
    GenerationSettings settings =
        parsed("input: data/*.csv\noutput: out\ncheckpoint: models/flux\n").settings();
    assertThat(settings.table().location()).isEqualTo(directory.resolve("data/*.csv").toString());
    assertThat(settings.checkpoint()).isEqualTo(directory.resolve("models/flux").toString());
    assertThat(settings.output()).isEqualTo("out");
  }

  @ParameterizedTest
  @ValueSource(strings = {"s3a://bucket/prompts.csv", "/data/prompts.csv", "hdfs:///p/*.parquet"})
  void uriAndAbsolutePathAreKept(String location) throws IOException {
    assertThat(parsed("output: out\ninput: " + location).settings().table().location())
        .isEqualTo(location);
  }

  @Test
  void theShippedCheckpointIsNotAFile() throws IOException {
    assertThat(parsed("input: a\noutput: b\ncheckpoint: builtin:pocket").settings().checkpoint())
        .isEqualTo("builtin:pocket");
  }

  @Test
  void aSparkTableIsNotAFile() throws IOException {
    assertThat(
            parsed("input: shop.prompts\ninput-format: table\noutput: out")
                .settings()
                .table()
                .location())
        .isEqualTo("shop.prompts");
  }

  @Test
  void helpIsShownWithoutReadingTheFile() {
    assertThat(RunningLightmill.of("generate", "--config=missing.yaml", "--help").out())
        .startsWith("Usage: lightmill generate");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "widht: 3 | , line 1: 'widht' is no option of 'lightmill generate'; the closest is"
            + " 'width'.",
        "output: out¶batch_size: 3 | , line 2: 'batch_size' is no option of 'lightmill generate';"
            + " the closest is 'batch-size'.",
        "config: other.yaml | , line 1: 'config' is no option of 'lightmill generate'; the closest"
            + " is 'conf'.",
        "# note¶¶width: wide | , line 3: Invalid value for option '--width': 'wide' is not an int",
        "width: [1, 2] | , line 1: 'width' takes one value.",
        "width: | , line 1: 'width' takes one value.",
        "column: caption | , line 1: 'column' takes a mapping of names to values.",
        "column: {prompt: [a]} | , line 1: 'column' takes a mapping of names to values.",
        "width: 1¶height: 2¶width: 3 | , line 3: 'width' is given for the second time, after line"
            + " 1; remove one.",
        "- width | must hold a mapping of option names, such as 'input: prompts.csv'.",
      })
  void aBadFileIsRefusedWithTheLine(String yaml, String sentence) throws IOException {
    Path file = file(yaml.replace('¶', '\n'));
    RunningLightmill run = RunningLightmill.of("generate", "--config=" + file);
    String separator = sentence.startsWith(",") ? "" : " ";
    assertThat(run.err()).startsWith("lightmill: Job file " + file + separator + sentence);
    assertThat(run.status()).isEqualTo(ExitStatus.REFUSED);
  }

  @Test
  void whatIsNotYamlIsRefusedWithTheLine() throws IOException {
    Path file = file("input: a\noutput: \"b\nwidth: 3\n");
    assertThatThrownBy(() -> JobFile.read(file))
        .isInstanceOf(LightmillException.class)
        .hasMessageMatching("(?s)Job file .*job\\.yaml is not YAML: .* at line \\d+\\.")
        .extracting(e -> ((LightmillException) e).code())
        .isEqualTo(ErrorCode.CONFIGURATION_INVALID);
  }

  @Test
  void anEmptyFileIsRefused() throws IOException {
    Path file = file("");
    assertThatThrownBy(() -> JobFile.read(file)).hasMessageContaining("must hold a mapping");
  }

  @Test
  void aMissingFileIsNamed() {
    Path file = directory.resolve("nowhere.yaml");
    assertThatThrownBy(() -> JobFile.read(file))
        .isInstanceOf(LightmillException.class)
        .hasMessageContainingAll(file.toString(), "there is no such file");
  }

  private ParsedGenerate parsed(String yaml, String... options) throws IOException {
    String[] all = new String[options.length + 1];
    System.arraycopy(options, 0, all, 0, options.length);
    all[options.length] = "--config=" + file(yaml);
    return ParsedGenerate.of(all);
  }

  private Path file(String yaml) throws IOException {
    return Files.writeString(directory.resolve("job.yaml"), yaml);
  }
}
