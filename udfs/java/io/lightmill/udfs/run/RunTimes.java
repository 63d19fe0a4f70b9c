package io.lightmill.udfs.run;

import io.lightmill.udfs.progress.ImageProgress;

/**
 * Durations of the steps of a run, in seconds.
 *
 * @param start from the start of the caller to the call of the run
 * @param plan from then to the first report of a generating task; to the submission of the
 *     generating stage if no task reported
 * @param load from then until the first device has its model
 * @param generate from then to the committed manifest
 */
record RunTimes(double start, double plan, double load, double generate) {

  private static final double NANOS_PER_SECOND = 1e9;

  /**
   * @param called when the run was called, by {@link System#nanoTime}
   */
  static RunTimes of(double start, long called, ImageProgress progress, DrawnRun drawn) {
    long firstTask = progress.firstTaskNanos().orElse(drawn.submitted());
    long firstDrawing = progress.firstDrawingNanos().orElse(firstTask);
    return new RunTimes(
        start,
        (firstTask - called) / NANOS_PER_SECOND,
        (firstDrawing - firstTask) / NANOS_PER_SECOND,
        (drawn.committed() - firstDrawing) / NANOS_PER_SECOND);
  }
}
