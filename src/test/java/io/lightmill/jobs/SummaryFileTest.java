package io.lightmill.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lightmill.s3.S3Server;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.report.RunReport;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SummaryFileTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Instant NOON = Instant.parse("2026-03-04T12:00:00Z");
  private static final RunReport FAILED =
      RunReport.failed(
          GenerationOptions.EMPTY.with(Options.RUN_ID, "nightly"),
          NOON,
          NOON.plusMillis(1500),
          Optional.empty(),
          "a sentence");

  @TempDir Path directory;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private SummaryFile file(String location) {
    return new SummaryFile(location, new PrintWriter(out, true), new PrintWriter(err, true));
  }

  @Test
  void aLocalFileIsReplacedAndItsDirectoryCreated() throws IOException {
    Path file = directory.resolve("a/b c:d.json");
    file(file.toString()).write(FAILED);
    Files.writeString(file, "old");
    file(file.toString()).write(FAILED);

    JsonNode report = JSON.readTree(file.toFile());
    assertThat(report.get("run_id").asText()).isEqualTo("nightly");
    assertThat(report.get("status").asText()).isEqualTo("failed");
    assertThat(report.get("error_code").asText()).isEqualTo("UNEXPECTED");
    assertThat(report.get("error_message").asText()).isEqualTo("a sentence");
    assertThat(report.get("started_at").asText()).isEqualTo("2026-03-04T12:00:00Z");
    assertThat(report.get("seconds").get("total").asDouble()).isEqualTo(1.5);
    assertThat(report.get("manifest").isNull()).isTrue();
    try (Stream<Path> files = Files.list(file.getParent())) {
      assertThat(files).containsExactly(file);
    }
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void anObjectOnS3IsWrittenWithTheSettingsOfTheSession() throws Exception {
    try (S3Server s3 = S3Server.start()) {
      SparkConf conf = new SparkConf(false);
      s3.settings().forEach((key, value) -> conf.set("spark.hadoop." + key, value));
      SummaryFile file = file(s3.uri("jobs/summary.json"));
      file.use(conf);

      file.write(FAILED);

      assertThat(err.toString()).isEmpty();
      assertThat(JSON.readTree(s3.object("jobs/summary.json")).get("run_id").asText())
          .isEqualTo("nightly");
    }
  }

  @Test
  void aFileThatCannotBeWrittenIsAnErrorInOneLine() throws IOException {
    Path inTheWay = Files.writeString(directory.resolve("file"), "here");
    file(inTheWay.resolve("summary.json").toString()).write(FAILED);
    assertThat(err.toString().lines().toList())
        .singleElement()
        .asString()
        .startsWith("lightmill: the summary cannot be written to '" + inTheWay);
  }

  @ParameterizedTest
  @ValueSource(strings = {"--widht=3", "--path-template=a//b", "--checkpoint=some-org/some-model"})
  void aRefusedCommandHasASummaryAndNothingElseOnStandardOutput(String mistake) throws IOException {
    RunningLightmill run =
        RunningLightmill.of("generate", "--input=a", "--output=b", "--summary-json", "-", mistake);

    assertThat(run.status()).isEqualTo(ExitStatus.REFUSED);
    JsonNode report = JSON.readTree(run.out());
    assertThat(report.get("status").asText()).isEqualTo("failed");
    assertThat(report.get("error_code").asText())
        .matches("CONFIGURATION_INVALID|CHECKPOINT_INVALID");
    assertThat(run.err()).contains(report.get("error_message").asText());
  }
}
