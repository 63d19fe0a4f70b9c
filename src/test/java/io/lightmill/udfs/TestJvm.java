package io.lightmill.udfs;

import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** JVMs that tests start: short-lived, and open to Spark where Java closes its modules. */
final class TestJvm {

  private TestJvm() {}

  static ProcessBuilder of(String heap, String classPath, String main, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("@" + Path.of("conf/spark-java17.opts").toAbsolutePath());
    command.addAll(List.of("-Xmx" + heap, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
    command.addAll(List.of("-cp", classPath, main));
    command.addAll(arguments);
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
    return builder;
  }

  static String classPath() {
    return System.getProperty("java.class.path");
  }

  /** The directories of compiled classes, tests included. */
  static String classes() {
    return entries().stream()
        .filter(entry -> !entry.endsWith(".jar"))
        .collect(Collectors.joining(File.pathSeparator));
  }

  /** The jars that stand for a Spark distribution and the jars of the job. */
  static List<Path> jars() {
    return entries().stream()
        .filter(entry -> entry.endsWith(".jar"))
        .map(Path::of)
        // Servlet 6 is for the S3 service of the tests; the pages of Spark's master need Servlet 5.
        .filter(jar -> !jar.getFileName().toString().startsWith("tomcat-servlet-api"))
        .toList();
  }

  private static List<String> entries() {
    return Arrays.stream(classPath().split(File.pathSeparator, -1))
        .map(entry -> Path.of(entry).toAbsolutePath().toString()) // executors run elsewhere
        .toList();
  }
}
