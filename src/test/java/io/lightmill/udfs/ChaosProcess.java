package io.lightmill.udfs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

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

  static ChaosProcess start(Path painted, Map<String, String> hadoop) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("@" + Path.of("conf/spark-java17.opts").toAbsolutePath());
    command.addAll(List.of("-Xmx1g", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(ChaosDriver.class.getName());
    command.add(painted.toString());
    command.add(
        hadoop.entrySet().stream()
            .map(setting -> "spark.hadoop." + setting.getKey() + "=" + setting.getValue())
            .collect(Collectors.joining(",")));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
    builder.redirectError(ProcessBuilder.Redirect.DISCARD);
    ChaosProcess started = new ChaosProcess(builder.start());
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
