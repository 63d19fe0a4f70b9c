package io.lightmill.pipeline.torch;

import ai.djl.pytorch.jni.JniUtils;
import io.lightmill.pipeline.Device;
import java.util.ArrayList;
import java.util.List;

/**
 * Keeps one of several groups of {@link Weights} on a device at a time. Using the weights of
 * another group moves it, so only one thread at a time may run networks on the device.
 */
public final class ModelOffload {

  private final Device device;
  private final List<Weights> loaded = new ArrayList<>();
  private String group;

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

  synchronized void added(Weights weights) {
    loaded.add(weights);
  }

  synchronized void remove(Weights weights) {
    weights.free();
    loaded.remove(weights);
  }
}
