package io.lightmill.udfs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A {@link ChaosDriver} in its process. */
final class ChaosProcess implements AutoCloseable {

  private final Process process;
  private final BufferedReader answers;
  private final Writer jobs;

  private ChaosProcess(Process process) {
    this.process = process;
    this.answers = process.inputReader(StandardCharsets.UTF_8);
    this.jobs = process.outputWriter(StandardCharsets.UTF_8);
  }

  /**
   * Starts a driver, and waits until it takes jobs.
   *
   * @param settings of Spark
   */
  static ChaosProcess start(Map<String, String> settings) throws IOException {
    List<String> arguments =
        settings.entrySet().stream()
            .map(setting -> setting.getKey() + "=" + setting.getValue())
            .toList();
    ChaosProcess started =
        new ChaosProcess(
            TestJvm.of("1g", ChaosDriver.class.getName(), arguments)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start());
    assertThat(started.answer()).contains("ready");
    return started;
  }

  /** Runs a job; empty if the process was killed before it answered. */
  Optional<String> run(ChaosDriver.Job job) {
    try {
      jobs.write(job.line() + "\n");
      jobs.flush();
      return answer();
    } catch (IOException e) { // its end of the pipe is gone
      process.onExit().join();
      return Optional.empty();
    }
  }

  private Optional<String> answer() throws IOException {
    for (String line = answers.readLine(); line != null; line = answers.readLine()) {
      if (line.startsWith(ChaosDriver.ANSWER)) {
        return Optional.of(line.substring(ChaosDriver.ANSWER.length()));
      }
    }
    process.onExit().join(); // its pipes are gone a moment before it is
    return Optional.empty();
  }

  boolean alive() {
    return process.isAlive();
  }

  /** SIGKILL: nothing of the process runs any more. */
  void kill() {
    process.destroyForcibly();
    process.onExit().join();
  }

  @Override
  public void close() {
    kill();
  }
}
