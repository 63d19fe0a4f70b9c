package io.lightmill.udfs.sql;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.udfs.TestJvm;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The example for Spark Connect, as users run it: a server and a client, each in a process of its
 * own with its own class path.
 */
class ConnectTest {

  /** What the client needs beside its own jars; Spark itself is in them once more. */
  private static final String CLIENT_LIBRARIES =
      "(scala-library|scala-reflect|scala-xml|scala-parser|spark-common-utils|spark-tags"
          + "|spark-unsafe|spark-variant|spark-sketch|json4s|jackson|paranamer|slf4j|log4j|jcl"
          + "|kryo|chill|objenesis|minlog|commons-lang3|commons-codec|antlr4|icu4j|xbean|zstd)"
          + ".*\\.jar";

  private static final Path CONNECT = Path.of("target/connect").toAbsolutePath();
  private static final Path OPENED = Path.of("conf/spark-java17.opts").toAbsolutePath();

  @TempDir Path directory;

  @Test
  void theExampleDrawsAndReadsThroughAServer() throws IOException, InterruptedException {
    int port = freePort();
    Path log = directory.resolve("server.log");
    Process server = server(port).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    try {
      Path printed = directory.resolve("client.log");
      Process client =
          client(port).redirectErrorStream(true).redirectOutput(printed.toFile()).start();
      try {
        assertThat(client.waitFor(5, TimeUnit.MINUTES)).isTrue();
        String text = Files.readString(printed);
        assertThat(client.exitValue()).as("%s%n%s", text, log).isZero();
        assertThat(text)
            .containsPattern("lamp-1\\s*\\|61\\.0 *\\|generated\\|images/\\S+ *\\|\\d{4,}")
            .containsPattern("mug-1 *\\|generated\\|true *\\|\\d{4,}")
            .doesNotContain("WARN SparkSession");
      } finally {
        client.destroyForcibly().waitFor();
      }
      assertThat(directory.resolve("out/contact-sheet.html")).exists();
    } finally {
      server.destroyForcibly().waitFor();
    }
  }

  private ProcessBuilder server(int port) throws IOException {
    List<String> options =
        List.of(
            "-Dspark.master=local[2]",
            "-Dspark.ui.enabled=false",
            "-Dspark.sql.shuffle.partitions=4",
            "-Dspark.sql.extensions=" + LightmillExtensions.class.getName(),
            "-Dspark.connect.grpc.binding.address=127.0.0.1",
            "-Dspark.connect.grpc.binding.port=" + port,
            "-Dai.djl.offline=true");
    ProcessBuilder builder =
        TestJvm.of(
            "1g",
            options,
            jars("server").map(Path::of).toList(),
            "org.apache.spark.sql.connect.service.SparkConnectServer",
            List.of());
    builder.environment().put("OMP_WAIT_POLICY", "PASSIVE");
    return builder.directory(directory.toFile());
  }

  private ProcessBuilder client(int port) throws IOException {
    Stream<String> libraries =
        classPath().filter(entry -> new File(entry).getName().matches(CLIENT_LIBRARIES));
    List<String> command = java("512m");
    command.addAll(
        List.of(
            "-cp",
            Stream.concat(jars("client"), libraries)
                .collect(Collectors.joining(File.pathSeparator)),
            Path.of("conf/examples/connect/GenerateOverConnect.java").toAbsolutePath().toString(),
            "sc://127.0.0.1:" + port,
            directory.resolve("out").toString()));
    return new ProcessBuilder(command).directory(directory.toFile());
  }

  private static List<String> java(String heap) {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    return new ArrayList<>(
        List.of(java, "@" + OPENED, "-Xmx" + heap, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
  }

  private static Stream<String> jars(String side) throws IOException {
    try (Stream<Path> files = Files.list(CONNECT.resolve(side))) {
      return files.sorted().map(Path::toString).toList().stream();
    }
  }

  private static Stream<String> classPath() {
    return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator, -1))
        .map(entry -> Path.of(entry).toAbsolutePath().toString());
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}
