package io.lightmill.udfs;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Spark's own master and two workers on loopback, each a process, with a Spark home made of links.
 * The workers are of different hosts: Spark starts no twin on the host of its original.
 */
final class StandaloneCluster implements AutoCloseable {

  private static final String DAEMONS = "org.apache.spark.deploy.";
  private static final long MINUTES_TO_START = 5;

  private final List<Process> processes = new ArrayList<>();
  private final List<Process> workers = new ArrayList<>();
  private final List<Path> links = new ArrayList<>();
  private String url;

  private StandaloneCluster() {}

  /**
   * Waits until the master knows its workers.
   *
   * @param directory for links, scripts and logs
   * @param cores of each worker
   * @param gpus of each worker, by a discovery script that counts none
   */
  static StandaloneCluster start(Path directory, int cores, int gpus) throws IOException {
    StandaloneCluster cluster = new StandaloneCluster();
    try {
      Path home = home(directory, cluster.links);
      cluster.url =
          cluster
              .daemon(home, "master.Master", "--host", "127.0.0.1", "--port", "0")
              .said("Starting Spark master at (spark://\\S+)");
      List<Daemon> started = new ArrayList<>();
      for (int worker = 1; worker <= 2; worker++) {
        started.add(
            cluster.daemon(
                home,
                "worker.Worker",
                "--host",
                "127.0.0." + worker,
                "--cores",
                "" + cores,
                "--memory",
                "4g",
                "--work-dir",
                directory.resolve("work" + worker).toString(),
                "--properties-file",
                properties(directory, gpus).toString(),
                cluster.url));
      }
      started.forEach(worker -> worker.said("(Successfully registered) with master"));
      started.forEach(worker -> cluster.workers.add(worker.process));
      return cluster;
    } catch (IOException | RuntimeException | Error e) {
      cluster.close();
      throw e;
    }
  }

  /** For {@code spark.master}. */
  String url() {
    return url;
  }

  /** What a session needs so that executors find this build, and are small. */
  Map<String, String> settings() {
    Map<String, String> settings = new TreeMap<>();
    settings.put("spark.master", url);
    settings.put("spark.executor.extraClassPath", TestJvm.classPath());
    settings.put("spark.executor.memory", "512m");
    settings.put("spark.executor.extraJavaOptions", TestJvm.executorOptions());
    return settings;
  }

  /** The executors that are there now. */
  List<ProcessHandle> executors() {
    return workers.stream().flatMap(Process::children).filter(ProcessHandle::isAlive).toList();
  }

  @Override
  public void close() {
    List<ProcessHandle> all = new ArrayList<>(executors());
    processes.forEach(process -> all.add(0, process.toHandle())); // or executors would be replaced
    all.forEach(ProcessHandle::destroyForcibly);
    all.forEach(process -> process.onExit().join());
    links.forEach(link -> link.toFile().delete()); // JUnit warns of each that it finds
  }

  /**
   * A Spark home of links to the jars of this JVM.
   *
   * @param links receives them, to be deleted: JUnit warns of each that it finds
   */
  static Path home(Path directory, List<Path> links) throws IOException {
    Path jars = Files.createDirectories(directory.resolve("spark/jars"));
    for (Path jar : TestJvm.jars()) {
      Path link = jars.resolve(jar.getFileName());
      if (!Files.exists(link)) {
        links.add(Files.createSymbolicLink(link, jar));
      }
    }
    return jars.getParent();
  }

  private static Path properties(Path directory, int gpus) throws IOException {
    if (gpus == 0) {
      return Files.writeString(
          directory.resolve("worker.conf"), "spark.worker.cleanup.enabled false");
    }
    Path script = directory.resolve("gpus.sh");
    List<String> addresses = new ArrayList<>();
    for (int gpu = 0; gpu < gpus; gpu++) {
      addresses.add("\"" + gpu + "\"");
    }
    Files.writeString(
        script,
        "#!/bin/sh\necho '{\"name\":\"gpu\",\"addresses\":["
            + String.join(",", addresses)
            + "]}'\n");
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
    return Files.writeString(
        directory.resolve("worker.conf"),
        "spark.worker.resource.gpu.amount %d\nspark.worker.resource.gpu.discoveryScript %s\n"
            .formatted(gpus, script));
  }

  private Daemon daemon(Path home, String name, String... arguments) throws IOException {
    List<String> all = new ArrayList<>(List.of("--webui-port", "0"));
    all.addAll(List.of(arguments));
    ProcessBuilder builder = TestJvm.of("256m", DAEMONS + name, all).redirectErrorStream(true);
    builder.environment().put("SPARK_HOME", home.toString());
    builder.environment().put("SPARK_SCALA_VERSION", "2.13");
    Daemon daemon = new Daemon(name, builder.start());
    processes.add(daemon.process);
    return daemon;
  }

  /** A process whose log is read as it comes, so that it never waits for a reader. */
  private static final class Daemon {

    private final String name;
    private final Process process;
    private final List<String> log = new ArrayList<>();
    private CompletableFuture<String> wanted;
    private Pattern pattern;

    Daemon(String name, Process process) {
      this.name = name;
      this.process = process;
      Thread reader = new Thread(this::read, name);
      reader.setDaemon(true);
      reader.start();
    }

    /** Waits for a line and returns the pattern's first group. */
    String said(String regex) {
      CompletableFuture<String> answer = new CompletableFuture<>();
      synchronized (log) {
        pattern = Pattern.compile(regex);
        wanted = answer;
        log.forEach(this::look);
      }
      try {
        return answer.orTimeout(MINUTES_TO_START, TimeUnit.MINUTES).join();
      } catch (RuntimeException e) {
        throw new IllegalStateException(name + " says: " + String.join("\n", log), e);
      }
    }

    private void read() {
      try (BufferedReader lines = process.inputReader()) {
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
          synchronized (log) {
            log.add(line);
            look(line);
          }
        }
        synchronized (log) {
          if (wanted != null) {
            wanted.completeExceptionally(new IllegalStateException(name + " has ended"));
          }
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private void look(String line) {
      if (wanted != null) {
        Matcher found = pattern.matcher(line);
        if (found.find()) {
          wanted.complete(found.group(1));
        }
      }
    }
  }
}
