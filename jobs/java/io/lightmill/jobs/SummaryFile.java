package io.lightmill.jobs;

import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.report.RunReport;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkConf;
import org.apache.spark.deploy.SparkHadoopUtil;

/**
 * Where {@code --summary-json} writes the {@link RunReport} of a run: a local file, a URI of any
 * Hadoop file system, or {@value #STANDARD_OUTPUT} for standard output. A file is replaced at once.
 */
final class SummaryFile {

  static final String OPTION = "--summary-json";

  static final String JSON = "--json";

  /** Then standard output has nothing but the JSON. */
  static final String STANDARD_OUTPUT = "-";

  private final String location;
  private final PrintWriter out;
  private final PrintWriter err;
  private Configuration hadoop = new Configuration();

  SummaryFile(String location, PrintWriter out, PrintWriter err) {
    this.location = location;
    this.out = out;
    this.err = err;
  }

  /**
   * The files of {@value #OPTION} and {@value #JSON}.
   *
   * @param location null if the option is not given
   */
  static List<SummaryFile> of(String location, boolean json, PrintWriter out, PrintWriter err) {
    Set<String> locations = new LinkedHashSet<>();
    if (location != null) {
      locations.add(location);
    }
    if (json) {
      locations.add(STANDARD_OUTPUT);
    }
    return locations.stream().map(each -> new SummaryFile(each, out, err)).toList();
  }

  /** The files that a command line names which cannot be parsed as a whole. */
  static List<SummaryFile> named(String[] arguments, PrintWriter out, PrintWriter err) {
    String location = null;
    for (int i = 0; i < arguments.length; i++) {
      if (arguments[i].startsWith(OPTION + "=")) {
        location = arguments[i].substring(OPTION.length() + 1);
      }
      if (arguments[i].equals(OPTION) && i + 1 < arguments.length) {
        location = arguments[i + 1];
      }
    }
    return of(location, Arrays.asList(arguments).contains(JSON), out, err);
  }

  boolean onStandardOutput() {
    return location.equals(STANDARD_OUTPUT);
  }

  /** Takes endpoints and credentials of file systems from the settings of a session. */
  void use(SparkConf conf) {
    hadoop = SparkHadoopUtil.get().newConfiguration(conf);
  }

  /** Writes the report; a failure is printed and does not change how the run ended. */
  void write(RunReport report) {
    try {
      if (onStandardOutput()) {
        out.println(new String(report.json(), StandardCharsets.UTF_8));
        out.flush();
      } else if (location.matches("[A-Za-z][A-Za-z0-9+.-]+:/.*")) {
        report.store(location, hadoop);
      } else {
        write(Path.of(location).toAbsolutePath(), report.json());
      }
    } catch (IOException | InvalidPathException | LightmillException e) {
      err.printf("lightmill: the summary cannot be written to '%s': %s%n", location, e);
      err.flush();
    }
  }

  private static void write(Path file, byte[] json) throws IOException {
    if (Files.exists(file) && !Files.isRegularFile(file)) { // such as /dev/fd/3
      Files.write(file, json);
      return;
    }
    Files.createDirectories(file.getParent());
    Path temporary = file.resolveSibling(".%s.tmp".formatted(UUID.randomUUID()));
    try {
      Files.write(temporary, json);
      Files.move(temporary, file, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }
}
