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
import java.util.Optional;
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

  /** The file that a command line names which cannot be parsed as a whole. */
  static Optional<SummaryFile> named(String[] arguments, PrintWriter out, PrintWriter err) {
    for (int i = 0; i < arguments.length; i++) {
      if (arguments[i].startsWith(OPTION + "=")) {
        return Optional.of(new SummaryFile(arguments[i].substring(OPTION.length() + 1), out, err));
      }
      if (arguments[i].equals(OPTION) && i + 1 < arguments.length) {
        return Optional.of(new SummaryFile(arguments[i + 1], out, err));
      }
    }
    return Optional.empty();
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
