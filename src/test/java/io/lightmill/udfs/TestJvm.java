package io.lightmill.udfs;

import java.io.File;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * JVMs that tests start: short-lived, and open to Spark where Java closes its modules. They use the
 * class-data archive (AppCDS) of this JVM, and so its class path: with the archive, a driver's
 * start and first job take about half the processor time.
 */
public final class TestJvm {

  private static final List<String> OPTIONS =
      Stream.concat(
              Stream.of(
                  "-XX:TieredStopAtLevel=1",
                  "-XX:C1MaxInlineSize=12", // of code that runs a few times, compiling is the cost
                  "-XX:CICompilerCount=1",
                  "-XX:-UsePerfData",
                  "-XX:ReservedCodeCacheSize=256m",
                  "-XX:+UseSerialGC",
                  "-XX:MetaspaceSize=200m"),
              ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                  .filter(option -> option.startsWith("-XX:SharedArchiveFile=")))
          .toList();

  private TestJvm() {}

  /** A JVM with the classes of the tests. */
  static ProcessBuilder of(String heap, String main, List<String> arguments) {
    return of(heap, List.of(), List.of(), main, arguments);
  }

  /**
   * The same.
   *
   * @param options of the JVM
   * @param more jars behind those of the tests
   */
  public static ProcessBuilder of(
      String heap, List<String> options, List<Path> more, String main, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("@" + Path.of("conf/spark-java17.opts").toAbsolutePath());
    command.add("-Xmx" + heap);
    command.addAll(OPTIONS);
    command.addAll(options);
    command.addAll(List.of("-cp", classPath(more), main));
    command.addAll(arguments);
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
    return builder;
  }

  /** For executors, which Spark starts. */
  static String executorOptions() {
    return String.join(" ", OPTIONS);
  }

  /** For executors, which Spark starts elsewhere. */
  static String classPath() {
    return classPath(List.of());
  }

  private static String classPath(List<Path> more) {
    return Stream.concat(entries(), more.stream())
        .map(Path::toString)
        .collect(Collectors.joining(File.pathSeparator));
  }

  /** The jars that stand for a Spark distribution and the jars of the job. */
  static List<Path> jars() {
    return entries().filter(entry -> entry.toString().endsWith(".jar")).toList();
  }

  private static Stream<Path> entries() {
    return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator, -1))
        .filter(entry -> !entry.isEmpty()) // Surefire ends with one
        .map(entry -> Path.of(entry).toAbsolutePath());
  }
}
