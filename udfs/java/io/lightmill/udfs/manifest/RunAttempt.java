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

  /** Keys of manifests: a file or a directory for each attempt. */
  private static final Pattern MANIFEST =
      Pattern.compile(Manifest.DIRECTORY + "/(?:run_id=)?(.+?)(?:\\.parquet)?$");

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
   * @param committed keys of committed manifests
   */
  public static RunAttempt next(String runId, Collection<String> committed) {
    int last =
        committed.stream()
            .map(RunAttempt::ofManifest)
            .filter(attempt -> attempt.runId().equals(runId))
            .mapToInt(RunAttempt::number)
            .max()
            .orElse(0);
    return new RunAttempt(runId, last + 1);
  }

  /**
   * Whether a manifest is one of this run's.
   *
   * @param key of the manifest
   */
  public boolean isOfSameRun(String key) {
    return ofManifest(key).runId().equals(runId);
  }

  private static RunAttempt ofManifest(String key) {
    return of(MANIFEST.matcher(key).replaceFirst("$1"));
  }

  /**
   * The run id in manifests and in names of directories: that of the caller, then numbered ones.
   */
  public String name() {
    return number == 1 ? runId : runId + ".attempt-" + number;
  }
}
