package io.lightmill.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.SolidColorPipeline;
import io.lightmill.udfs.TestJob;
import io.lightmill.udfs.run.GenerationRun;
import io.lightmill.udfs.run.RunResult;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TerminationTest {

  private final BlockingQueue<String> said = new LinkedBlockingQueue<>();

  @ParameterizedTest
  @CsvSource({"TERM, 15, SIGTERM", "INT, 2, Ctrl-C"})
  void theFirstSignalEndsTheRunOnceAndTheProcessGoesOn(String signal, int number, String name)
      throws Exception {
    CountDownLatch ended = new CountDownLatch(1);
    try (Termination termination =
        Termination.of(
            () -> {
              ended.countDown();
              return true;
            },
            () -> false,
            new PrintWriter(new Said(), true))) {
      termination.listen();

      send(signal);
      boolean ignored = isIgnored(number);
      if (ignored) {
        send("TERM");
      }

      assertThat(said.poll(20, TimeUnit.SECONDS))
          .startsWith(
              "lightmill: the run ends on "
                  + (ignored ? "SIGTERM" : name)
                  + "; if it is drawing, batches in flight finish");
      assertThat(ended.await(20, TimeUnit.SECONDS)).isTrue();
    }
  }

  @Test
  void theSignalEndsARunThatDrawsAndCommitsWhatIsFinished(@TempDir Path directory)
      throws Exception {
    TestJob job =
        TestJob.in(directory, List.of("id,prompt", "1,a", "2,b", "3,c", "4,d", "5,e"))
            .batchSize(1)
            .partitions(1);
    CountDownLatch ended = new CountDownLatch(1);
    SolidColorPipeline pipeline = new SolidColorPipeline();
    pipeline.failing(
        batch -> {
          if (pipeline.batches.size() == 2) {
            send("TERM");
            await(ended);
          }
        });
    BooleanSupplier end =
        () -> {
          boolean active = GenerationRun.end(job.options());
          ended.countDown();
          return active;
        };
    try (Termination termination =
        Termination.of(end, () -> false, new PrintWriter(new Said(), true))) {
      termination.listen();

      RunResult result = job.run(pipeline);

      assertThat(result.counts())
          .isEqualTo(Map.of(ImageStatus.GENERATED, 2L, ImageStatus.PENDING, 3L));
      assertThat(ExitStatus.of(result.summary(), Optional.empty())).isEqualTo(ExitStatus.STOPPED);
    }
  }

  /**
   * Whether this process was started with the signal ignored, as shells start background jobs with
   * Ctrl-C. The JVM leaves it so.
   */
  private static boolean isIgnored(int signal) throws IOException {
    Path status = Path.of("/proc/self/status");
    if (!Files.exists(status)) {
      return false;
    }
    String ignored =
        Files.readAllLines(status).stream()
            .filter(line -> line.startsWith("SigIgn:"))
            .map(line -> line.substring("SigIgn:".length()).strip())
            .findFirst()
            .orElseThrow();
    return new BigInteger(ignored, 16).testBit(signal - 1);
  }

  private static void await(CountDownLatch ended) {
    try {
      assertThat(ended.await(20, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void send(String signal) {
    try {
      String process = Long.toString(ProcessHandle.current().pid());
      assertThat(new ProcessBuilder("kill", "-" + signal, process).start().waitFor()).isZero();
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Hands over what is written, line by line. */
  private final class Said extends Writer {

    private final StringBuilder line = new StringBuilder();

    @Override
    public void write(char[] characters, int offset, int length) {
      line.append(characters, offset, length);
    }

    @Override
    public void flush() {
      if (line.length() > 0) {
        said.add(line.toString());
        line.setLength(0);
      }
    }

    @Override
    public void close() {}
  }
}
