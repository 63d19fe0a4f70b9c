package io.lightmill.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.ModelOptions;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.option.SparkOptions;
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

  private static Map<String, String> read(Path file) {
    return JobFile.read(file).values(new Placeholders(Placeholders.date("2026-11-26"), Map.of()));
  }

  @Test
  void keysStandForOptions() throws IOException {
    GenerationOptions options =
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
            .options();
    assertThat(options.get(Options.INPUT)).isEqualTo("/data/prompts.csv");
    assertThat(options.find(Options.PROMPT_TEMPLATE))
        .contains("{name}: 100 % {color}, on \"marble\"");
    assertThat(options.entries(Options.COLUMN))
        .containsExactlyInAnyOrderEntriesOf(Map.of("prompt", "caption text", "id", "sku"));
    assertThat(options.find(Options.LIMIT)).contains(3);
    assertThat(options.columnDefaults()).containsEntry("guidance_scale", "3.5");
    assertThat(options.get(Options.TRUNCATE_PROMPTS)).isTrue();
    assertThat(options.get(Options.SEED)).isEqualTo(12345678901L);
    assertThat(options.get(Options.FORMAT).extension()).isEqualTo("jpg");
  }

  @Test
  void theCommandLineWins() throws IOException {
    GenerationOptions options =
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
            .options();
    assertThat(options.columnDefaults()).isEqualTo(Map.of("width", "128", "height", "96"));
    assertThat(options.get(Options.TRUNCATE_PROMPTS)).isFalse();
    assertThat(options.get(Options.INPUT)).isEqualTo("b.csv");
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
    assertThat(parsed.options().entries(Options.COLUMN))
        .isEqualTo(Map.of("prompt", "caption", "id", "number", "seed", "noise"));
    assertThat(parsed.options().entries(SparkOptions.CONF))
        .isEqualTo(
            Map.of(
                "spark.executor.extraJavaOptions", "-Da=b,c -Dd=e", "spark.ui.enabled", "false"));
  }

  @Test
  void whatTheJobReadsIsBesideTheFileAndWhatItWritesIsNot() throws IOException {
    Files.createDirectories(directory.resolve("models/flux"));
    GenerationOptions options =
        parsed("input: data/*.csv\noutput: out\ncheckpoint: models/flux\n").options();
    assertThat(options.get(Options.INPUT)).isEqualTo(directory.resolve("data/*.csv").toString());
    assertThat(options.get(ModelOptions.CHECKPOINT))
        .isEqualTo(directory.resolve("models/flux").toString());
    assertThat(options.get(Options.OUTPUT_DIRECTORY)).isEqualTo("out");
  }

  @ParameterizedTest
  @ValueSource(strings = {"s3a://bucket/prompts.csv", "/data/prompts.csv", "hdfs:///p/*.parquet"})
  void uriAndAbsolutePathAreKept(String location) throws IOException {
    assertThat(parsed("output: out\ninput: " + location).options().get(Options.INPUT))
        .isEqualTo(location);
  }

  @Test
  void theShippedCheckpointIsNotAFile() throws IOException {
    assertThat(
            parsed("input: a\noutput: b\ncheckpoint: builtin:pocket")
                .options()
                .get(ModelOptions.CHECKPOINT))
        .isEqualTo("builtin:pocket");
  }

  @Test
  void aModelOfTheHubIsNotAFile() throws IOException {
    assertThat(
            parsed("input: a\noutput: b\ncheckpoint: some-org/some-model")
                .options()
                .get(ModelOptions.CHECKPOINT))
        .isEqualTo("some-org/some-model");
  }

  @Test
  void aSparkTableIsNotAFile() throws IOException {
    Files.createDirectories(directory.resolve("models/flux"));
    GenerationOptions options =
        parsed("input: shop.prompts\ninput-format: Table\noutput: out\ncheckpoint: models/flux")
            .options();
    assertThat(options.get(Options.INPUT)).isEqualTo("shop.prompts");
    assertThat(options.get(ModelOptions.CHECKPOINT))
        .isEqualTo(directory.resolve("models/flux").toString());
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
        "widht: 3 | , line 1: there is no option 'widht'; did you mean 'width'?",
        "output: out¶batch_sice: 3 | , line 2: there is no option 'batch_sice'; did you mean"
            + " 'batch-size'?",
        "config: other.yaml | , line 1: there is no option 'config'; did you mean 'conf'?",
        "# note¶¶width: wide | , line 3: option 'width' is 'wide', but must be a valid value of"
            + " the column 'width'",
        "width: [1, 2] | , line 1: option 'width' must be one value",
        "width: | , line 1: option 'width' must be one value",
        "column: caption | , line 1: option 'column' must be a mapping",
        "column: {prompt: [a]} | , line 1: option 'column' must be a mapping",
        "column: [prompt] | , line 1: option 'column' is 'prompt', but must be entries such as"
            + " prompt=caption",
        "batch-size: 0 | , line 1: option 'batch-size' is '0', but must be a whole number of at"
            + " least 1",
        "batch-size: 1¶batch_size: 2 | , line 2: option 'batch-size' is given twice, first in line"
            + " 1; remove one",
        "width: 1¶height: 2¶width: 3 | , line 3: option 'width' is given twice, first in line 1;"
            + " remove one",
        "input: \"a\\0b\" | , line 1: option 'input' must be a path: Nul character not allowed",
        "output: o¶checkpoint: \"a\\0\" | , line 2: option 'checkpoint' must be a path: Nul"
            + " character",
        "- width | must have a mapping of options, such as 'input: prompts.csv'",
      })
  void aBadFileIsRefusedWithTheLine(String yaml, String sentence) throws IOException {
    Path file = file(yaml.replace('¶', '\n'));
    RunningLightmill run = RunningLightmill.of("generate", "--config=" + file);
    String separator = sentence.startsWith(",") ? "" : " ";
    assertThat(run.err()).startsWith("lightmill: job file " + file + separator + sentence);
    assertThat(run.status()).isEqualTo(ExitStatus.REFUSED);
  }

  @Test
  void whatIsNotYamlIsRefusedWithTheLine() throws IOException {
    Path file = file("input: a\noutput: \"b\nwidth: 3\n");
    assertThatThrownBy(() -> read(file))
        .isInstanceOf(LightmillException.class)
        .hasMessageMatching("(?s)job file .*job\\.yaml is not YAML: .* at line \\d+")
        .extracting(e -> ((LightmillException) e).code())
        .isEqualTo(ErrorCode.CONFIGURATION_INVALID);
  }

  @Test
  void anEmptyFileIsRefused() throws IOException {
    Path file = file("");
    assertThatThrownBy(() -> read(file)).hasMessageContaining("must have a mapping");
  }

  @Test
  void aMissingFileIsNamed() {
    Path file = directory.resolve("nowhere.yaml");
    assertThatThrownBy(() -> read(file))
        .isInstanceOf(LightmillException.class)
        .hasMessageContainingAll(file.toString(), "does not exist");
  }

  @Test
  void aFileOfAnotherKindIsRefusedAtOnce() throws Exception {
    Path file = directory.resolve("job.yaml");
    Files.createSymbolicLink(file, Path.of("/dev/zero"));
    assertThatThrownBy(() -> read(file))
        .hasMessage(file + " is a pipe or a device; replace it by a regular file");
    Files.delete(file);
    assertThat(new ProcessBuilder("mkfifo", file.toString()).start().waitFor()).isZero();
    assertThatThrownBy(() -> read(file)).hasMessageContaining("is a pipe or a device");
    Files.delete(file);
    Files.writeString(file, "prompt-template: >\n" + "  a line\n".repeat(2_000_000));
    assertThatThrownBy(() -> read(file))
        .isInstanceOf(LightmillException.class)
        .hasMessageContaining("has 18000019 bytes, and a file of its kind may have 262144 at most")
        .extracting(e -> ((LightmillException) e).code())
        .isEqualTo(ErrorCode.CONFIGURATION_INVALID);
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

  /** Aliases are names, and nesting is bounded by the reader of YAML. */
  @Test
  void bombsOfYamlAreRefused() throws IOException {
    String laughs = "column: &a {prompt: &b [x, x, x]}\nseed: *b\n";
    assertThatThrownBy(() -> read(file(laughs)))
        .isInstanceOf(LightmillException.class)
        .hasMessageContaining("line 1: option 'column' must be a mapping");
    assertThatThrownBy(() -> read(file("column: " + "[".repeat(100_000))))
        .isInstanceOf(LightmillException.class)
        .hasMessageContaining("job.yaml is not YAML");
    assertThatThrownBy(() -> read(file("seed: " + "9".repeat(100_000))))
        .isInstanceOf(LightmillException.class)
        .extracting(e -> ((LightmillException) e).code())
        .isEqualTo(ErrorCode.CONFIGURATION_INVALID);
  }
}
