package io.lightmill.udfs;

/** The devices of a run. */
public enum DeviceChoice {
  /** GPUs where tasks can have them, the CPU elsewhere. */
  AUTO,
  /** The CPU, even where there are GPUs. */
  CPU,
  /** GPUs; without any, the run is refused. */
  CUDA
}
