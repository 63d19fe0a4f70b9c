package io.lightmill.udfs;

import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.run.GenerationRun;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.spark.sql.SparkSession;

/**
 * A driver that a test kills. It reads from standard input: the options of a run in one line, which
 * it then executes, and {@code end}, which ends the run early.
 */
final class HostedDriver {

  static final String ANSWER = "answer ";

  private HostedDriver() {}

  /** Arguments: settings of Spark as {@code key=value}. */
  public static void main(String... arguments) throws IOException {
    SparkSession.Builder builder = SparkSession.builder();
    entries(arguments).forEach(builder::config);
    SparkSession spark = builder.getOrCreate();
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    System.out.println(ANSWER + "ready");
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      GenerationOptions options = GenerationOptions.parse(entries(line.split("\t", -1)));
      Thread run = new Thread(() -> System.out.println(ANSWER + result(spark, options)));
      run.start();
      String next = lines.readLine();
      if ("end".equals(next)) {
        GenerationRun.end(options);
      }
    }
  }

  private static String result(SparkSession spark, GenerationOptions options) {
    try {
      return GenerationRun.execute(spark, Optional.empty(), options, RunListener.NONE)
              .summary()
              .labelled()
          + " on "
          + (spark.sparkContext().statusTracker().getExecutorInfos().length - 1);
    } catch (RuntimeException e) {
      return "failed: " + e;
    }
  }

  private static Map<String, String> entries(String... texts) {
    return Arrays.stream(texts)
        .map(text -> text.split("=", 2))
        .collect(Collectors.toMap(entry -> entry[0], entry -> entry[1]));
  }
}
