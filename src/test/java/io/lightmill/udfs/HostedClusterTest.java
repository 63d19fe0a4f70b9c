package io.lightmill.udfs;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.hosted.StubEndpoint;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.progress.ProgressPlugin;
import io.lightmill.udfs.run.GenerationRun;
import io.lightmill.udfs.run.RunResult;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.commons.io.FileUtils;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A hosted model on a cluster of four executors, each a process, and their death. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class HostedClusterTest {

  private static final int EXECUTORS = 4;
  private static final int ROWS = 14;
  private static final int PER_MINUTE = 10;
  private static final int AT_ONCE = 5;

  @TempDir Path directory;

  private final List<Path> links = new ArrayList<>();
  private final CountDownLatch answers = new CountDownLatch(1);
  private StubEndpoint endpoint;
  private Process driver;

  @BeforeEach
  void start() throws IOException {
    endpoint = new StubEndpoint();
    Path key = Files.writeString(directory.resolve("key"), StubEndpoint.KEY);
    Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-------"));
    Files.write(directory.resolve("prompts.csv"), List.of(TestJob.rows(ROWS)));
  }

  @AfterEach
  void stop() throws IOException {
    kill();
    endpoint.close();
    links.forEach(link -> link.toFile().delete());
  }

  @Test
  void theAllowanceIsSharedAndAKillLeavesUncertainRows() throws Exception {
    endpoint.reacting(
        (prompt, attempt) ->
            attempt == 1 && prompt.matches("mug [048]")
                ? StubEndpoint.error(429, "{}", "Retry-After: 0")
                : attempt == 1 && prompt.equals("mug 5")
                    ? StubEndpoint.error(503, "{}")
                    : StubEndpoint.picture());
    BufferedReader lines = startDriver();
    Writer commands = driver.outputWriter(StandardCharsets.UTF_8);

    commands.write(line(options("first", "requests-per-minute", "" + PER_MINUTE)) + "\n");
    commands.flush();
    awaitRequests(PER_MINUTE);
    commands.write("end\n"); // a minute later there would be more
    commands.flush();
    assertThat(answer(lines)).startsWith("{generated=").contains("pending=").endsWith("on 4");
    assertThat(endpoint.requests).hasSize(PER_MINUTE);
    assertThat(endpoint.mostAtOnce()).isLessThanOrEqualTo(AT_ONCE);
    int drawn = endpoint.successes().size();

    endpoint.reacting((prompt, attempt) -> StubEndpoint.after(answers, StubEndpoint.reset()));
    commands.write(line(options("second", "concurrent-requests", "" + ROWS)) + "\n");
    commands.flush();
    awaitRequests(PER_MINUTE + ROWS - drawn); // all are sent, and none is answered
    kill();
    answers.countDown();
    FileUtils.forceDelete(directory.resolve("out/run.lock").toFile()); // it would expire
    assertThat(endpoint.mostAtOnce()).isEqualTo(ROWS - drawn);

    endpoint.reacting((prompt, attempt) -> StubEndpoint.picture());
    assertThat(statuses("third"))
        .isEqualTo(Map.of("reused", (long) drawn, "uncertain", (long) ROWS - drawn));
    assertThat(endpoint.requests).as("nothing was sent again").hasSize(PER_MINUTE + ROWS - drawn);
    assertThat(directory.resolve("out/requests")).doesNotExist();
    assertThat(statuses("fourth", "retry-uncertain", "true"))
        .isEqualTo(Map.of("reused", (long) drawn, "generated", (long) ROWS - drawn));
    assertThat(endpoint.successes()).hasSize(ROWS).allSatisfy((p, n) -> assertThat(n).isOne());
    noFileHasTheKey();
  }

  private void awaitRequests(int count) throws InterruptedException {
    Object pause = new Object();
    synchronized (pause) {
      long end = System.nanoTime() + Duration.ofMinutes(3).toNanos();
      while (endpoint.requests.size() < count && System.nanoTime() < end) {
        pause.wait(20);
      }
    }
    assertThat(endpoint.requests).hasSize(count);
  }

  private Map<String, Long> statuses(String run, String... more) {
    RunResult result =
        GenerationRun.execute(
            TestSpark.session(),
            Optional.empty(),
            GenerationOptions.parse(options(run, more)),
            RunListener.NONE);
    return result.manifest().collectAsList().stream()
        .collect(
            Collectors.groupingBy((Row row) -> row.<String>getAs("status"), Collectors.counting()));
  }

  private Map<String, String> options(String run, String... more) {
    Map<String, String> options = new HashMap<>();
    options.put("checkpoint", endpoint.foundry());
    options.put("input", directory.resolve("prompts.csv").toString());
    options.put("output", directory.resolve("out").toString());
    options.put("run-id", run);
    options.put("credential-file", directory.resolve("key").toString());
    options.put("concurrent-requests", "" + AT_ONCE);
    options.put("width", "768");
    options.put("height", "768");
    for (int i = 0; i < more.length; i += 2) {
      options.put(more[i], more[i + 1]);
    }
    return options;
  }

  private static String line(Map<String, String> options) {
    return options.entrySet().stream()
        .map(each -> each.getKey() + "=" + each.getValue())
        .collect(Collectors.joining("\t"));
  }

  private BufferedReader startDriver() throws IOException {
    Map<String, String> settings = new HashMap<>(TestSpark.settings());
    settings.put("spark.master", "local-cluster[%d,1,1024]".formatted(EXECUTORS));
    settings.put("spark.executor.memory", "512m");
    settings.put("spark.executor.extraClassPath", TestJvm.classPath());
    settings.put("spark.executor.extraJavaOptions", TestJvm.executorOptions());
    settings.put("spark.scheduler.minRegisteredResourcesRatio", "1");
    settings.put("spark.plugins", ProgressPlugin.class.getName());
    ProcessBuilder builder =
        TestJvm.of(
                "1g",
                HostedDriver.class.getName(),
                settings.entrySet().stream()
                    .map(each -> each.getKey() + "=" + each.getValue())
                    .toList())
            .redirectError(directory.resolve("driver.log").toFile());
    Path home = StandaloneCluster.home(directory, links);
    builder.environment().put("SPARK_HOME", home.toString());
    builder.environment().put("SPARK_SCALA_VERSION", "2.13");
    builder.environment().put("SPARK_WORKER_DIR", directory.resolve("work").toString());
    driver = builder.start();
    BufferedReader lines = driver.inputReader(StandardCharsets.UTF_8);
    assertThat(answer(lines)).isEqualTo("ready");
    return lines;
  }

  private String answer(BufferedReader lines) throws IOException {
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      if (line.startsWith(HostedDriver.ANSWER)) {
        return line.substring(HostedDriver.ANSWER.length());
      }
    }
    throw new IOException("the driver ended: " + Files.readString(directory.resolve("driver.log")));
  }

  /** SIGKILL for driver and executors at once, as when a machine is gone. */
  private void kill() {
    if (driver != null) {
      List<ProcessHandle> all = new ArrayList<>(List.of(driver.toHandle()));
      driver.descendants().forEach(all::add);
      all.forEach(ProcessHandle::destroyForcibly);
      all.forEach(process -> process.onExit().join());
    }
  }

  private void noFileHasTheKey() throws IOException {
    Files.delete(directory.resolve("key"));
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file :
          files.filter(Files::isRegularFile).filter(f -> !f.toString().endsWith(".jar")).toList()) {
        assertThat(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1))
            .as(file.toString())
            .doesNotContain(StubEndpoint.KEY);
      }
    }
  }
}
