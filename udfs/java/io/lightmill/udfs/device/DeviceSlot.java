package io.lightmill.udfs.device;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.torch.Torch;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A device and the one pipeline that is loaded onto it, shared by all threads that draw. They are
 * admitted in the order of their requests, each as soon as the {@link DeviceCapacity} has threads
 * and memory for it; a drawing that needs more than there is gets all of it, alone.
 *
 * <p>Once a drawing finds that the device is broken, or the device has failed several batches in a
 * row, no other drawing begins until the pipeline is closed.
 */
public final class DeviceSlot {

  /** Batches in a row that the device may fail although it passes its check. */
  static final int MOST_FAILURES = 5;

  private static final Logger LOG = LoggerFactory.getLogger(DeviceSlot.class);

  private final Device device;
  private final DeviceCapacity capacity;
  private final LongSupplier nanoTime;

  /** Held while a thread waits for its admission, so that those behind it wait too. */
  private final ReentrantLock queue = new ReentrantLock(true);

  private Loaded loaded;
  private BrokenDeviceException broken;
  private int failuresInARow;
  private int drawings;
  private int threadsInUse;
  private long bytesInUse;
  private long lastUse;

  /** By pipeline, wanted size and batch key. */
  private final Map<String, BatchGrowth> growths = new HashMap<>();

  private record Loaded(String key, DiffusionPipeline pipeline, DrawingMemory memory) {}

  private record Share(Loaded loaded, int threads, long bytes) {}

  DeviceSlot(Device device) {
    this(device, DeviceCapacity.of(device), System::nanoTime);
  }

  DeviceSlot(Device device, DeviceCapacity capacity, LongSupplier nanoTime) {
    this.device = device;
    this.capacity = capacity;
    this.nanoTime = nanoTime;
  }

  Device device() {
    return device;
  }

  /**
   * Uses the loader's pipeline once the device has room for the drawing. The pipeline is loaded
   * first unless it is the loaded one; another one is closed when the last drawing with it ends.
   *
   * @param threads that an operation of this drawing may use on a CPU, at least 1
   * @param batch that is drawn
   * @throws BrokenDeviceException if this drawing or an earlier one finds that the device is broken
   * @throws InterruptedException if the task is killed while it waits
   */
  public <T> T use(
      PipelineLoader loader,
      int threads,
      List<ImageRequest> batch,
      Function<DiffusionPipeline, T> drawing)
      throws InterruptedException {
    Share share = admitted(loader, threads, batch);
    try {
      return Torch.withThreads(share.threads(), () -> drawing.apply(share.loaded().pipeline()));
    } catch (BrokenDeviceException e) {
      markBroken(e);
      throw e;
    } finally {
      leave(share);
    }
  }

  /**
   * The size of batches of one batch key, as it was found so far. It is forgotten when the pipeline
   * is closed.
   *
   * @param wanted images of a batch; 0 to find them by measurement
   */
  public synchronized BatchGrowth growth(PipelineLoader loader, String batchKey, int wanted) {
    return growths.computeIfAbsent(
        String.join(" ", loader.key(), "" + wanted, batchKey),
        key -> wanted == 0 ? BatchGrowth.measured() : BatchGrowth.fixed(wanted));
  }

  /** Notes that the device has drawn an image. */
  public synchronized void succeeded() {
    failuresInARow = 0;
  }

  /**
   * Notes that errors of the device have failed a whole batch, although it passed its check.
   *
   * @throws BrokenDeviceException if it is the last of {@link #MOST_FAILURES} in a row
   */
  public synchronized void failed(RuntimeException failure) {
    failuresInARow++;
    if (failuresInARow >= MOST_FAILURES) {
      throw DeviceFailures.broken(
          "%s fails %d batches in a row".formatted(device.name(), failuresInARow), failure);
    }
  }

  private synchronized void markBroken(BrokenDeviceException reason) {
    broken = reason;
  }

  /**
   * Loads the loader's pipeline unless it is the loaded one.
   *
   * @throws InterruptedException if the thread is interrupted while it waits for drawings to end
   */
  void load(PipelineLoader loader) throws InterruptedException {
    queue.lockInterruptibly();
    try {
      synchronized (this) {
        current(loader);
      }
    } finally {
      queue.unlock();
    }
  }

  private Share admitted(PipelineLoader loader, int threads, List<ImageRequest> batch)
      throws InterruptedException {
    queue.lockInterruptibly();
    try {
      synchronized (this) {
        Share share = share(current(loader), threads, batch);
        while (!fits(share)) {
          wait();
          share = share(current(loader), threads, batch); // it may have been released meanwhile
        }
        drawings++;
        threadsInUse += share.threads();
        bytesInUse += share.bytes();
        return share;
      }
    } finally {
      queue.unlock();
    }
  }

  /**
   * What a drawing takes of the device. On a CPU its images are drawn one by one; on a GPU the
   * threads of an image have no effect.
   */
  private Share share(Loaded current, int threads, List<ImageRequest> batch) {
    long largest = batch.stream().mapToLong(current.memory()::activations).max().orElse(0);
    return new Share(
        current,
        device.equals(Device.CPU) ? Math.min(threads, capacity.threads()) : 1,
        Math.min(largest, room(current)));
  }

  private boolean fits(Share share) {
    return threadsInUse + share.threads() <= capacity.threads()
        && bytesInUse + share.bytes() <= room(share.loaded());
  }

  /** Bytes for all drawings together; where the weights leave none, for one drawing. */
  private long room(Loaded current) {
    return Math.max(1, capacity.bytes() - current.memory().weights());
  }

  private synchronized void leave(Share share) {
    drawings--;
    threadsInUse -= share.threads();
    bytesInUse -= share.bytes();
    lastUse = nanoTime.getAsLong();
    notifyAll();
  }

  /** The loader's pipeline, loaded if need be. To be called under this object's lock. */
  private Loaded current(PipelineLoader loader) throws InterruptedException {
    requireWorking();
    while (loaded == null || !loader.key().equals(loaded.key())) {
      if (drawings > 0) {
        wait();
        requireWorking();
      } else {
        unload();
        try {
          loaded = loaded(loader);
        } catch (BrokenDeviceException e) {
          broken = e;
          throw e;
        }
        lastUse = nanoTime.getAsLong();
      }
    }
    return loaded;
  }

  private void requireWorking() {
    if (broken != null) {
      throw new BrokenDeviceException(broken.getMessage(), broken);
    }
  }

  /** Loading may use all cores: it converts numbers one by one, and sums none. */
  private Loaded loaded(PipelineLoader loader) {
    DrawingMemory memory = device.equals(Device.CPU) ? loader.memory() : DrawingMemory.UNKNOWN;
    int cores = Runtime.getRuntime().availableProcessors();
    try {
      DiffusionPipeline pipeline = Torch.withThreads(cores, () -> loader.load(device));
      return new Loaded(loader.key(), pipeline, memory);
    } catch (RuntimeException e) {
      if (DeviceFailures.mayBreak(e)) {
        throw DeviceFailures.broken(device.name() + " fails while the model is loaded", e);
      }
      throw e;
    }
  }

  /** Closes the loader's pipeline, if it is the loaded one, once no drawing uses it. */
  synchronized void release(PipelineLoader loader) {
    boolean interrupted = false;
    while (drawings > 0 && holds(loader.key())) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true; // the memory is to be freed all the same
      }
    }
    if (holds(loader.key())) {
      unload();
    } else if (loaded == null) {
      restore();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Closes the pipeline if no drawing has used it for so long.
   *
   * @param kept keys of pipelines that stay however long they are idle
   */
  synchronized void closeIfIdle(Duration idle, Set<String> kept) {
    if (loaded != null
        && drawings == 0
        && !kept.contains(loaded.key())
        && nanoTime.getAsLong() - lastUse >= idle.toNanos()) {
      unload();
    }
  }

  private boolean holds(String key) {
    return loaded != null && loaded.key().equals(key);
  }

  private void unload() {
    if (loaded != null) {
      Loaded before = loaded;
      loaded = null;
      growths.clear();
      try {
        before.pipeline().close();
      } catch (RuntimeException e) {
        if (broken == null) {
          throw e;
        }
        LOG.debug("The model on broken {} cannot be closed", device, e);
      } finally {
        restore();
      }
    }
  }

  /** The next run tries the device again. */
  private void restore() {
    broken = null;
    failuresInARow = 0;
    notifyAll();
  }
}
