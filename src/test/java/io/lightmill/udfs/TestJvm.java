package io.lightmill.udfs;

import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** JVMs that tests start beside their own: lean, and with what Spark wants open. */
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

  /** What this build compiled, tests included. */
  static String classes() {
    return entries().stream()
        .filter(entry -> !entry.endsWith(".jar"))
        .collect(Collectors.joining(File.pathSeparator));
  }

  /** The jars that a Spark distribution and the job's own would be. */
  static List<Path> jars() {
    return entries().stream()
        .filter(entry -> entry.endsWith(".jar"))
        .map(Path::of)
        // Servlet 6 is for the S3 service of the tests; the master's own pages are of Servlet 5.
        .filter(jar -> !jar.getFileName().toString().startsWith("tomcat-servlet-api"))
        .toList();
  }

  private static List<String> entries() {
    return Arrays.asList(classPath().split(File.pathSeparator, -1));
  }
}
