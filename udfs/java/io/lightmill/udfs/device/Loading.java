package io.lightmill.udfs.device;

import java.io.Serializable;
import java.util.Map;
import java.util.Optional;

/**
 * How a checkpoint is loaded, and with what.
 *
 * @param variant of the weights, such as {@code fp16}; empty for the files without a variant, or
 *     the only ones
 * @param adapters files of LoRA adapters, by the names that rows use
 * @param offload keep only one of its networks on the device at a time
 */
public record Loading(String variant, Map<String, String> adapters, boolean offload)
    implements Serializable {

  /** The checkpoint without adapters, all of it on the device. */
  public static final Loading PLAIN = new Loading("", Map.of(), false);

  public Loading {
    adapters = Map.copyOf(adapters);
  }

  /** The requested variant. */
  public Optional<String> wanted() {
    return Optional.of(variant).filter(name -> !name.isEmpty());
  }
}
