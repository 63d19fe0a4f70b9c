package io.lightmill.udfs.device;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.DiffusionPipeline;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;

/** A device and the one pipeline that is loaded onto it. One thread draws at a time, in turn. */
public final class DeviceSlot {

  private final Device device;
  private final ReentrantLock engine = new ReentrantLock(true);
  private DiffusionPipeline pipeline;
  private String key;

  DeviceSlot(Device device) {
    this.device = device;
  }

  Device device() {
    return device;
  }

  /**
   * Uses the engine once it is this thread's turn, with the loader's pipeline on the device.
   *
   * @throws InterruptedException if the task is killed while it waits
   */
  public <T> T use(PipelineLoader loader, Function<DiffusionPipeline, T> drawing)
      throws InterruptedException {
    engine.lockInterruptibly();
    try {
      if (!loader.key().equals(key)) {
        unload();
        pipeline = loader.load(device);
        key = loader.key();
      }
      return drawing.apply(pipeline);
    } finally {
      engine.unlock();
    }
  }

  /** Unloads the loader's pipeline, if it is the one here. */
  void release(PipelineLoader loader) {
    engine.lock();
    try {
      if (loader.key().equals(key)) {
        unload();
      }
    } finally {
      engine.unlock();
    }
  }

  private void unload() {
    if (pipeline != null) {
      pipeline.close();
      pipeline = null;
      key = null;
    }
  }
}
