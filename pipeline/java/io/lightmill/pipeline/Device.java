package io.lightmill.pipeline;

import java.util.Objects;

/**
 * Where tensors live and networks run.
 *
 * @param name as PyTorch writes it: {@code cpu}, {@code cuda:0}; or {@code hosted}
 */
public record Device(String name) {

  public static final Device CPU = new Device("cpu");

  /** The device of a model behind an API. It holds no tensors. */
  public static final Device HOSTED = new Device("hosted");

  public Device {
    Objects.requireNonNull(name, "name");
    if (!name.matches("cpu|cuda:\\d+|mps|hosted")) {
      throw new IllegalArgumentException("device '%s' is none of cpu, cuda:N, mps".formatted(name));
    }
  }

  public static Device cuda(int index) {
    return new Device("cuda:" + index);
  }

  @Override
  public String toString() {
    return name;
  }
}
