package io.lightmill.pipeline.flow;

import io.lightmill.pipeline.Device;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Threads that draw on one GPU denoise one after the other, in the order in which they come. While
 * one denoises, others may encode prompts and decode latents. On CPUs all denoise at once.
 */
final class DenoisingTurns {

  private final ReentrantLock gpu = new ReentrantLock(/* fair= */ true);
  private final boolean exclusive;

  DenoisingTurns(Device device) {
    this.exclusive = !device.equals(Device.CPU);
  }

  /** Denoises as soon as it is the turn of this thread. */
  void denoise(Runnable work) {
    if (!exclusive) {
      work.run();
      return;
    }
    gpu.lock();
    try {
      work.run();
    } finally {
      gpu.unlock();
    }
  }
}
