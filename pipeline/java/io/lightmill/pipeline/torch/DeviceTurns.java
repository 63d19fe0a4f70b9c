package io.lightmill.pipeline.torch;

import ai.djl.pytorch.jni.JniUtils;
import io.lightmill.pipeline.Device;
import java.util.ArrayList;
import java.util.List;

/**
 * Which of several groups of {@link Weights} is on a device: one at a time. It changes when weights
 * of another group are used, so whoever draws on the device draws alone.
 */
public final class DeviceTurns {

  private final Device device;
  private final List<Weights> here = new ArrayList<>();
  private String group;

  public DeviceTurns(Device device) {
    this.device = device;
  }

  /** Makes room for a group, unless it is here. */
  synchronized void take(String next) {
    if (!next.equals(group)) {
      here.forEach(Weights::leave);
      here.clear();
      group = next;
      if (!device.equals(Device.CPU)) {
        JniUtils.emptyCudaCache(); // the next group's tensors have other sizes
      }
    }
  }

  synchronized void arrived(Weights weights) {
    here.add(weights);
  }

  synchronized void leave(Weights weights) {
    weights.leave();
    here.remove(weights);
  }
}
