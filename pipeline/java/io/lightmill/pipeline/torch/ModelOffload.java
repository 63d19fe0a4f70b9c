package io.lightmill.pipeline.torch;

import ai.djl.pytorch.jni.JniUtils;
import io.lightmill.pipeline.Device;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * Keeps one of several groups of {@link Weights} on a device at a time. Using the weights of
 * another group moves it, so only one thread at a time may run networks on the device.
 */
public final class ModelOffload {

  private final Device device;
  private final List<Weights> loaded = new ArrayList<>();
  private String group;
  private Loads loads = new Loads(0, 0);

  /**
   * What has been loaded since the beginning.
   *
   * @param bytes of weight files
   * @param nanos that loading took
   */
  public record Loads(long bytes, long nanos) {

    /** What has been loaded since an earlier state of this count. */
    public Loads since(Loads earlier) {
      return new Loads(bytes - earlier.bytes, nanos - earlier.nanos);
    }
  }

  public ModelOffload(Device device) {
    this.device = device;
  }

  /** Frees the weights of the group on the device, unless it is this one. */
  synchronized void select(String next) {
    if (!next.equals(group)) {
      loaded.forEach(Weights::free);
      loaded.clear();
      group = next;
      if (!device.equals(Device.CPU)) {
        JniUtils.emptyCudaCache(); // the next group's tensors have other sizes
      }
    }
  }

  /** Loads weights, and counts them. */
  synchronized Weights counted(long bytes, Supplier<Weights> loading) {
    long start = System.nanoTime();
    Weights weights = loading.get();
    loads = new Loads(loads.bytes() + bytes, loads.nanos() + System.nanoTime() - start);
    return weights;
  }

  /** All that has been loaded so far. */
  public synchronized Loads loads() {
    return loads;
  }

  synchronized void added(Weights weights) {
    loaded.add(weights);
  }

  synchronized void remove(Weights weights) {
    weights.free();
    loaded.remove(weights);
  }
}
