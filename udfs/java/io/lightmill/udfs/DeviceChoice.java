package io.lightmill.udfs;

/** What a job wants to draw on. */
public enum DeviceChoice {
  /** GPUs where tasks can have them, the CPU elsewhere. */
  AUTO,
  /** The CPU, whatever else is there. */
  CPU,
  /** GPUs, or the job is refused. */
  CUDA
}
