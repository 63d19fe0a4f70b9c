package io.lightmill.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.Options;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PlaceholdersTest {

  private static final String JOB =
      """
      variables:
        region: eu
        season: winter
      input: s3a://bucket/{region}/date={date:yyyy-MM-dd}/
      output: s3a://bucket/images/{date-1M:yyyy/MM}
      run-id: "{region}-{date:yyyyMMdd}"
      prompt-template: "a {color} mug, {season}, {date}"
      num-inference-steps: 8
      """;

  @TempDir Path directory;

  private GenerationOptions options(String job, String... arguments) throws IOException {
    Path file = Files.writeString(directory.resolve("job.yaml"), job);
    return ParsedGenerate.of(
            Stream.concat(Stream.of("--config=" + file), Stream.of(arguments))
                .toArray(String[]::new))
        .options();
  }

  @ParameterizedTest
  @CsvSource({
    "{date}, 2026-03-01",
    "{date:yyyyMMdd}, 20260301",
    "{date-1d}, 2026-02-28",
    "{date-1M-1d:yyyy/MM/dd}, 2026/01/31",
    "{date+1y:yyyy}, 2027",
    "{date-1w:MM-dd}, 02-22",
    "{date-2h:yyyy-MM-dd-HH}, 2026-03-01-02",
    "a{date:d}b{date:M}c, a1b3c",
    "'{2026-01,2026-02}', '{2026-01,2026-02}'"
  })
  void datesHaveOffsetsAndFormats(String text, String replaced) {
    Placeholders placeholders =
        new Placeholders(Placeholders.date("2026-03-01T05:30+01:00"), Map.of());
    assertThat(placeholders.replaced(Options.INPUT, text)).isEqualTo(replaced);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{date-1x} | whose offset is '-1x'; write numbers with a sign",
        "{date -1d} | whose offset is ' -1d'",
        "{date:QQQQQQQ} | which has no date: ",
        "{dat:yyyy} | which is neither a date nor a variable; did you mean '{date}'?",
        "{regoin} | did you mean '{region}'?",
        "{tenant} | give it a value (--set tenant=…), or remove it",
      })
  void mistakesAreNamed(String text, String sentence) {
    Placeholders placeholders =
        new Placeholders(Placeholders.date("2026-03-01"), Map.of("region", "eu"));
    assertThatThrownBy(() -> placeholders.replaced(Options.INPUT, "s3a://b/" + text))
        .isInstanceOf(LightmillException.class)
        .hasMessageStartingWith("option 'input' has the placeholder '" + text)
        .hasMessageContaining(sentence);
  }

  @Test
  void aJobFileIsARecurringRun() throws IOException {
    GenerationOptions options = options(JOB, "--date=2026-03-05");
    assertThat(options.get(Options.INPUT)).isEqualTo("s3a://bucket/eu/date=2026-03-05/");
    assertThat(options.get(Options.OUTPUT_DIRECTORY)).isEqualTo("s3a://bucket/images/2026/02");
    assertThat(options.get(Options.RUN_ID)).isEqualTo("eu-20260305");
    assertThat(options.get(Options.PROMPT_TEMPLATE)) // {date} is a column there
        .isEqualTo("a {color} mug, winter, {date}");
  }

  @Test
  void variablesAndKeysAreSetAndOptionsWin() throws IOException {
    GenerationOptions options =
        options(
            JOB,
            "--date=2026-03-05",
            "--set=region=us",
            "--set=num_inference_steps=4",
            "--set=column.prompt=caption",
            "--set=height=64",
            "--height=32",
            "--input=in-{region}.csv");
    assertThat(options.get(Options.INPUT)).isEqualTo("in-us.csv");
    assertThat(options.get(Options.RUN_ID)).isEqualTo("us-20260305");
    assertThat(options.columnDefaults())
        .containsEntry("num_inference_steps", "4")
        .containsEntry("height", "32");
    assertThat(options.entries(Options.COLUMN)).isEqualTo(Map.of("prompt", "caption"));
  }

  @Test
  void aVariableOfTheCommandLineAloneIsOneThatAValueUses() {
    assertThat(
            ParsedGenerate.of("--input=in-{x}.csv", "--output=out", "--set=x=1")
                .options()
                .get(Options.INPUT))
        .isEqualTo("in-1.csv");
    assertThat(RunningLightmill.of("generate", "--input=a", "--output=b", "--set=widht=64").err())
        .isEqualToIgnoringNewLines(
            "lightmill: --set names 'widht', which is neither an option nor a variable that a value"
                + " uses; did you mean 'width'?");
  }

  @Test
  void whatCannotBeReadIsRefusedWithItsLine() throws IOException {
    Path file =
        Files.writeString(
            directory.resolve("job.yaml"), "output: out\ninput: in/{date:yyyy-MM-dd:HH}x{foo}\n");
    for (List<String> bad :
        List.of(
            List.of("--config=" + file, "job.yaml, line 2: option 'input' has the placeholder"),
            List.of("--date=tomorrow", "--date is 'tomorrow', but must be a date such as"),
            List.of("--set=seed", "--set is 'seed', but must be KEY=VALUE"),
            List.of("--set=seed=x", "option 'seed' is 'x', but must be a whole number"),
            List.of("--set=date=x", "'date' is no name of a variable"),
            List.of("--set=v={x}", "variable 'v' contains a brace"))) {
      RunningLightmill run = RunningLightmill.of("generate", "--input=a", "--output=b", bad.get(0));
      assertThat(run.err()).contains(bad.get(1));
      assertThat(run.status()).isEqualTo(ExitStatus.REFUSED);
    }
  }
}
