package io.lightmill.jobs;

import io.lightmill.udfs.report.RunReport;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A command of the user that is run when a run has ended. A shell runs it, with the {@link
 * RunReport} as JSON on standard input and the most important values in environment variables. What
 * it prints goes to standard error. A failure is printed and does not change how the run ended.
 *
 * @param timeout after which the command and its children are killed
 */
record FinishHook(String command, Duration timeout, PrintWriter err) {

  private static final Logger LOG = LoggerFactory.getLogger(FinishHook.class);
  private static final String PREFIX = "LIGHTMILL_";

  /**
   * Runs the command and waits for its end.
   *
   * @param status exit status of this process
   */
  void run(RunReport report, int status) {
    try {
      ProcessBuilder builder = new ProcessBuilder("/bin/sh", "-c", command);
      builder.redirectErrorStream(true);
      variables(report, status)
          .forEach(
              (name, value) ->
                  builder.environment().put(PREFIX + name, value == null ? "" : value.toString()));
      Process process = builder.start();
      Thread output = printing(process);
      Thread input = writing(process, report.json());
      if (!process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly().waitFor();
        complain("was killed after %d s".formatted(timeout.toSeconds()));
      } else if (process.exitValue() != 0) {
        complain("ended with status %d".formatted(process.exitValue()));
      }
      input.join(TimeUnit.SECONDS.toMillis(1));
      output.join(TimeUnit.SECONDS.toMillis(1));
    } catch (IOException e) {
      complain("cannot be started: " + e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      complain("was not awaited, since this process is to end");
    }
    err.flush();
  }

  private static Map<String, Object> variables(RunReport report, int status) {
    Map<String, Object> variables = new LinkedHashMap<>();
    variables.put("STATUS", report.status());
    variables.put("EXIT_STATUS", status);
    variables.put("RUN_ID", report.runId());
    variables.put("OUTPUT", report.output());
    variables.put("MANIFEST", report.manifest());
    variables.put("CONTACT_SHEET", report.contactSheet());
    variables.put("ERROR", report.errorMessage());
    return variables;
  }

  private Thread printing(Process process) {
    return started(
        "output of on-finish",
        () -> {
          try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            lines.lines().forEach(line -> err.println("on-finish: " + line));
          } catch (IOException | UncheckedIOException e) {
            err.println("lightmill: the output of on-finish cannot be read: " + e.getMessage());
          }
        });
  }

  /** A command that does not read its input closes it. */
  private static Thread writing(Process process, byte[] json) {
    return started(
        "input of on-finish",
        () -> {
          try (OutputStream input = process.getOutputStream()) {
            input.write(json);
          } catch (IOException e) {
            LOG.debug("on-finish does not read its input", e);
          }
        });
  }

  private static Thread started(String name, Runnable work) {
    Thread thread = new Thread(work, name);
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  private void complain(String reason) {
    err.println(
        "lightmill: the command of on-finish %s; the run has ended as reported".formatted(reason));
  }
}
