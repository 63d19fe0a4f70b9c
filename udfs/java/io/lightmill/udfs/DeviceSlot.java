package io.lightmill.udfs;

import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.torch.Device;
import io.lightmill.pipeline.torch.Torch;
import java.util.concurrent.Semaphore;
import java.util.function.Function;

/**
 * A device and the one pipeline that is loaded onto it. A GPU draws for one thread at a time, in
 * turn. A CPU draws for as many as it has cores, which share its cores: several drawings use them
 * better than the operations of one.
 */
final class DeviceSlot {

  private final Device device;
  private final int drawings;

  /** One for each drawing; who loads or unloads takes them all. */
  private final Semaphore turns;

  private volatile DiffusionPipeline pipeline;
  private volatile String key;

  DeviceSlot(Device device) {
    this(device, device.equals(Device.CPU) ? Runtime.getRuntime().availableProcessors() : 1);
  }

  DeviceSlot(Device device, int drawings) {
    this.device = device;
    this.drawings = drawings;
    this.turns = new Semaphore(drawings, true);
  }

  Device device() {
    return device;
  }

  /**
   * Uses the engine once it is this thread's turn, with the loader's pipeline on the device.
   *
   * @throws InterruptedException if the task is killed while it waits
   */
  <T> T use(PipelineLoader loader, Function<DiffusionPipeline, T> drawing)
      throws InterruptedException {
    turns.acquire();
    if (!loader.key().equals(key)) {
      turns.release();
      turns.acquire(drawings);
      try {
        load(loader);
      } catch (RuntimeException | Error e) {
        turns.release(drawings);
        throw e;
      }
      turns.release(drawings - 1);
    }
    try {
      return Torch.sharedBy(drawings - turns.availablePermits(), () -> drawing.apply(pipeline));
    } finally {
      turns.release();
    }
  }

  /** Unloads the loader's pipeline, if it is the one here. */
  void release(PipelineLoader loader) {
    turns.acquireUninterruptibly(drawings);
    try {
      if (loader.key().equals(key)) {
        unload();
      }
    } finally {
      turns.release(drawings);
    }
  }

  private void load(PipelineLoader loader) {
    if (!loader.key().equals(key)) {
      unload();
      pipeline = loader.load(device);
      key = loader.key();
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
