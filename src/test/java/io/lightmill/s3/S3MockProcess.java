package io.lightmill.s3;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Adobe's S3Mock in a process of its own, since Spark and its Spring do not share a class path. The
 * build starts one for all JVMs of its tests. Elsewhere the first test that needs it starts one,
 * which ends with this JVM.
 */
final class S3MockProcess {

  private static final Path JAR = Path.of("target", "s3mock", "s3mock-exec.jar");
  private static final Path LOG_OF_BUILD = JAR.resolveSibling("log");
  private static final Pattern STARTED = Pattern.compile("Tomcat started on .*?(\\d+) \\(http\\)");

  private static URI endpoint;

  private S3MockProcess() {}

  static synchronized URI endpoint() throws IOException {
    if (endpoint == null) {
      Optional<URI> running = ofBuild();
      endpoint = running.isPresent() ? running.get() : started();
    }
    return endpoint;
  }

  /** Empty if there is none, as where its build has ended. */
  private static Optional<URI> ofBuild() throws IOException {
    if (!Files.exists(LOG_OF_BUILD)) {
      return Optional.empty();
    }
    List<Integer> ports = // of this build, after those of earlier ones
        STARTED
            .matcher(Files.readString(LOG_OF_BUILD))
            .results()
            .map(started -> Integer.parseInt(started.group(1)))
            .toList();
    if (ports.isEmpty()) {
      return Optional.empty();
    }
    int port = ports.get(ports.size() - 1);
    try (Socket reached = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return Optional.of(endpoint(reached.getPort()));
    } catch (ConnectException e) {
      return Optional.empty();
    }
  }

  private static URI endpoint(int port) {
    return URI.create("http://127.0.0.1:" + port);
  }

  private static URI started() throws IOException {
    Path objects = Files.createDirectories(JAR.resolveSibling("tmp")).toAbsolutePath();
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Djava.io.tmpdir=" + objects,
                "-jar",
                JAR.toString(),
                "--server.address=127.0.0.1",
                "--server.port=0",
                "--http.port=0")
            .redirectErrorStream(true)
            .start();
    Runtime.getRuntime().addShutdownHook(new Thread(process::destroy));
    BufferedReader lines = process.inputReader(StandardCharsets.UTF_8);
    List<String> said = new ArrayList<>();
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      said.add(line);
      Matcher started = STARTED.matcher(line);
      if (started.find()) {
        drain(lines);
        return endpoint(Integer.parseInt(started.group(1)));
      }
    }
    throw new IOException("S3Mock ended at its start:\n" + String.join("\n", said));
  }

  /** A process whose pipe is full stands still. */
  private static void drain(BufferedReader lines) {
    Thread thread =
        new Thread(
            () -> {
              try {
                while (lines.readLine() != null) {
                  // what it says after its start is of no interest
                }
              } catch (IOException e) {
                Thread.currentThread().interrupt(); // the process is gone, and with it this thread
              }
            },
            "S3Mock's output");
    thread.setDaemon(true);
    thread.start();
  }
}
