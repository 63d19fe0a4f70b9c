package io.lightmill.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.report.RunReport;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FinishHookTest {

  private static final RunReport REPORT =
      RunReport.failed(
          GenerationOptions.EMPTY.with(Options.RUN_ID, "nightly"),
          Instant.EPOCH,
          Instant.EPOCH,
          Optional.empty(),
          "a sentence");

  @TempDir Path directory;

  private final StringWriter err = new StringWriter();

  private void run(String command, Duration timeout) {
    new FinishHook(command, timeout, new PrintWriter(err, true)).run(REPORT, 1);
  }

  @Test
  void theCommandGetsTheSummaryAndVariables() throws IOException {
    Path json = directory.resolve("summary.json");
    run(
        "cat > '%s'; echo $LIGHTMILL_STATUS $LIGHTMILL_EXIT_STATUS $LIGHTMILL_RUN_ID [$LIGHTMILL_OUTPUT]"
            .formatted(json),
        Duration.ofSeconds(30));
    JsonNode report = new ObjectMapper().readTree(Files.readAllBytes(json));
    assertThat(report.get("run_id").asText()).isEqualTo("nightly");
    assertThat(report.get("error_message").asText()).isEqualTo("a sentence");
    assertThat(err.toString()).isEqualToIgnoringNewLines("on-finish: failed 1 nightly []");
  }

  @Test
  void aFailureIsReported() {
    run("exit 3", Duration.ofSeconds(30)); // it does not read its input either
    assertThat(err.toString())
        .isEqualToIgnoringNewLines(
            "lightmill: the command of on-finish ended with status 3; the run has ended as"
                + " reported");
  }

  @Test
  void aCommandThatHangsIsKilledWithItsChildren() {
    run("sleep 600 & echo $!; sleep 600", Duration.ofMillis(300));
    assertThat(err.toString()).contains("lightmill: the command of on-finish was killed after");
    long child =
        Long.parseLong(err.toString().lines().findFirst().orElseThrow().replaceAll("\\D", ""));
    Instant most = Instant.now().plusSeconds(20);
    while (runs(child) && Instant.now().isBefore(most)) {
      Thread.onSpinWait(); // the kernel ends it after the signal
    }
    assertThat(runs(child)).isFalse();
  }

  /** A process that has ended may wait for its parent as a zombie. */
  private static boolean runs(long process) {
    try {
      return !Files.readString(Path.of("/proc/" + process + "/stat")).contains(") Z ");
    } catch (IOException e) {
      return false;
    }
  }

  @Test
  void aRefusedRunCallsItToo() throws IOException {
    Path called = directory.resolve("called");
    RunningLightmill run =
        RunningLightmill.of(
            "generate",
            "--input=a",
            "--output=b",
            "--checkpoint=some-org/some-model",
            "--on-finish=echo $LIGHTMILL_EXIT_STATUS > '" + called + "'; exit 1",
            "--json");
    assertThat(run.status()).isEqualTo(ExitStatus.REFUSED);
    assertThat(Files.readString(called).strip()).isEqualTo("2");
    assertThat(new ObjectMapper().readTree(run.out()).get("status").asText()).isEqualTo("failed");
    assertThat(run.err()).contains("hf download some-org/some-model", "ended with status 1");
  }
}
