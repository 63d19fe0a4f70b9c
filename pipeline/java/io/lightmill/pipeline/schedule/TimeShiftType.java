package io.lightmill.pipeline.schedule;

/** How {@code mu} shifts the noise levels of larger images up. */
public enum TimeShiftType {
  EXPONENTIAL,
  LINEAR
}
