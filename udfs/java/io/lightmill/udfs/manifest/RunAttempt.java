package io.lightmill.udfs.manifest;

import java.util.Collection;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One of the attempts that commit under one run id. A scheduler that starts a run again with the
 * same id continues that run: each further attempt reuses the images of the earlier ones and
 * commits a manifest of its own, with one row for every requested image.
 *
 * @param runId that the caller gave
 * @param number from 1
 */
public record RunAttempt(String runId, int number) {

  private static final Pattern NAMED = Pattern.compile("(.+)\\.attempt-([1-9]\\d{0,8})");
  private static final String RUN = Manifest.DIRECTORY + "/run_id=";

  /** The attempt of a name. */
  public static RunAttempt of(String name) {
    Matcher named = NAMED.matcher(name);
    return named.matches()
        ? new RunAttempt(named.group(1), Integer.parseInt(named.group(2)))
        : new RunAttempt(name, 1);
  }

  /**
   * The attempt after those that are committed.
   *
   * @param committed directories of committed manifests, as keys
   */
  public static RunAttempt next(String runId, Collection<String> committed) {
    int last =
        committed.stream()
            .filter(directory -> directory.startsWith(RUN))
            .map(directory -> of(directory.substring(RUN.length())))
            .filter(attempt -> attempt.runId().equals(runId))
            .mapToInt(RunAttempt::number)
            .max()
            .orElse(0);
    return new RunAttempt(runId, last + 1);
  }

  /** Whether a manifest is one of this run's. */
  public boolean isOfSameRun(String directory) {
    return directory.startsWith(RUN) && of(directory.substring(RUN.length())).runId().equals(runId);
  }

  /**
   * The run id in manifests and in names of directories: that of the caller, then numbered ones.
   */
  public String name() {
    return number == 1 ? runId : runId + ".attempt-" + number;
  }
}
