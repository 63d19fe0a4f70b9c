package io.lightmill.udfs;

import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** JVMs that tests start: short-lived, and open to Spark where Java closes its modules. */
public final class TestJvm {

  private static final List<String> OPTIONS =
      List.of(
          "-XX:TieredStopAtLevel=1",
          "-XX:ReservedCodeCacheSize=256m",
          "-XX:+UseSerialGC",
          "-XX:MetaspaceSize=200m");

  private TestJvm() {}

  /** A JVM with the classes of the tests, from the {@link TestClassArchive}. */
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
    TestClassArchive archive = TestClassArchive.current();
    List<String> all = new ArrayList<>(options);
    all.add(archive.option());
    String classPath =
        Stream.concat(Stream.of(archive.classPath()), more.stream().map(Path::toString))
            .collect(Collectors.joining(File.pathSeparator));
    return builder(heap, all, classPath, main, arguments);
  }

  static ProcessBuilder builder(
      String heap, List<String> options, String classPath, String main, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("@" + Path.of("conf/spark-java17.opts").toAbsolutePath());
    command.add("-Xmx" + heap);
    command.addAll(OPTIONS);
    command.addAll(options);
    command.addAll(List.of("-cp", classPath, main));
    command.addAll(arguments);
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
    return builder;
  }

  /** For executors, which Spark starts. */
  static String executorOptions() {
    return String.join(" ", OPTIONS) + " " + TestClassArchive.current().option();
  }

  /** The jars that stand for a Spark distribution and the jars of the job. */
  static List<Path> jars() {
    return entries().stream().filter(entry -> entry.toString().endsWith(".jar")).toList();
  }

  /** The class path of this JVM, but for what only this JVM needs. */
  static List<Path> entries() {
    return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator, -1))
        .filter(entry -> !entry.isEmpty()) // Surefire ends with one
        // Servlet 6 is for the S3 service of the tests; the pages of Spark's master need Servlet 5.
        .filter(entry -> !entry.contains("tomcat-servlet-api"))
        .map(entry -> Path.of(entry).toAbsolutePath()) // executors run elsewhere
        .toList();
  }
}
