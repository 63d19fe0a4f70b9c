package io.lightmill.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.concurrent.Callable;
import org.apache.spark.SparkException;
import org.apache.spark.SparkUserAppException;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Command;

class LightmillTest {

  @Test
  void helpNamesTheCommandsAndTheExitStatuses() {
    RunningLightmill help = RunningLightmill.of("--help");
    assertThat(help.status()).isZero();
    assertThat(help.out()).contains("generate", "Exit statuses: 0 success");
    assertThat(RunningLightmill.of("help", "generate").out())
        .isEqualTo(RunningLightmill.of("generate", "--help").out());
  }

  @Test
  void versionNamesTheBuildAndItsEngine() {
    RunningLightmill version = RunningLightmill.of("--version");
    assertThat(version.status()).isZero();
    assertThat(version.out())
        .matches(
            "(?s)lightmill \\d+\\.\\d+\\.\\S+\\R"
                + "commit (unknown|[0-9a-f]{7,}(\\+changes)?) of \\S+\\R"
                + "Java "
                + Runtime.version().feature()
                + "\\..*, Spark 4\\.\\d+\\.\\d+, libtorch \\d+\\.\\d+\\.\\d+, DJL"
                + " \\d+\\.\\d+\\.\\d+\\R");
  }

  @Test
  void withoutACommandItSaysWhatIsMissing() {
    RunningLightmill run = RunningLightmill.of();
    assertThat(run.status()).isEqualTo(ExitStatus.REFUSED);
    assertThat(run.err())
        .contains("lightmill: missing required subcommand", "Try 'lightmill --help'.");
  }

  @Test
  void aMisspeltOptionIsRefusedWithTheClosestOne() {
    RunningLightmill run = RunningLightmill.of("generate", "--widht=3");
    assertThat(run.status()).isEqualTo(ExitStatus.REFUSED);
    assertThat(run.err()).contains("'--widht=3'", "--width", "Try 'lightmill generate --help'.");
    assertThat(run.out()).isEmpty();
  }

  @Test
  void whatATaskRefusedIsSaidInItsOwnSentence() {
    Exception wrapped =
        new SparkException(
            "Job aborted due to stage failure",
            new LightmillException(ErrorCode.CHECKPOINT_INVALID, "The folder vae is missing."));
    Failing run = Failing.with(wrapped);
    assertThat(run.status).isEqualTo(ExitStatus.REFUSED);
    assertThat(run.err.toString())
        .isEqualToIgnoringNewLines("lightmill: The folder vae is missing.");
  }

  @Test
  void aSurpriseIsOneSentenceAndStatusOne() {
    Failing run = Failing.with(new IllegalStateException("first line\nsecond line"));
    assertThat(run.status).isEqualTo(ExitStatus.UNEXPECTED);
    assertThat(run.err.toString())
        .isEqualToIgnoringNewLines(
            "lightmill: unexpected failure: IllegalStateException: first line (the log has the"
                + " stack trace)");
  }

  @Test
  void anEngineThatFailsTheWholeRunIsASurprise() {
    Failing run =
        Failing.with(new LightmillException(ErrorCode.GENERATION_FAILED, "The engine is gone."));
    assertThat(run.status).isEqualTo(ExitStatus.UNEXPECTED);
    assertThat(run.err.toString()).isEqualToIgnoringNewLines("lightmill: The engine is gone.");
  }

  @Test
  void inClusterModeTheStatusGoesToTheMasterAsAnException() {
    String before = System.setProperty("spark.submit.deployMode", "cluster");
    try {
      assertThatThrownBy(() -> Lightmill.main("generate", "--output=out"))
          .asInstanceOf(type(SparkUserAppException.class))
          .extracting(SparkUserAppException::exitCode)
          .isEqualTo(ExitStatus.REFUSED);
    } finally {
      if (before == null) {
        System.clearProperty("spark.submit.deployMode");
      } else {
        System.setProperty("spark.submit.deployMode", before);
      }
    }
  }

  /** A command that fails behind the handlers of the real ones. */
  @Command(name = "failing")
  static final class Failing implements Callable<Integer> {

    private final Exception failure;
    private final StringWriter err = new StringWriter();
    private int status;

    private Failing(Exception failure) {
      this.failure = failure;
    }

    static Failing with(Exception failure) {
      FailureMessages messages = new FailureMessages();
      Failing command = new Failing(failure);
      command.status =
          new CommandLine(command)
              .setErr(new PrintWriter(command.err, true))
              .setExecutionExceptionHandler(messages)
              .execute();
      return command;
    }

    @Override
    public Integer call() throws Exception {
      throw failure;
    }
  }
}
