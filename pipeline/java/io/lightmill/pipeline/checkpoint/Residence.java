package io.lightmill.pipeline.checkpoint;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.torch.DeviceTurns;
import io.lightmill.pipeline.torch.Weights;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

/** How the networks of several pipelines over one checkpoint live on one device. */
public interface Residence extends AutoCloseable {

  /** Turns the weights of a component into those that a pipeline's network computes with. */
  @FunctionalInterface
  interface Adding {

    /** A new dictionary; the given one stays the caller's. */
    Weights to(String component, Weights weights);
  }

  /**
   * Where the networks of one pipeline get their weights.
   *
   * @param adding what the pipeline adds to the checkpoint's
   */
  WeightLoader.Place place(Adding adding);

  /** Frees what no pipeline owns. */
  @Override
  void close();

  /** All networks stay, and pipelines share the checkpoint's tensors. */
  static Residence together() {
    return new Together();
  }

  /**
   * Text encoders, transformer and autoencoder take turns: each comes from its files when it is
   * used and leaves for the next, so that the device holds the largest of them and not all. The
   * files stay in the host's page cache as far as that has room.
   */
  static Residence inTurn(Device device) {
    return new InTurn(new DeviceTurns(device));
  }

  /** See {@link #together()}. */
  final class Together implements Residence {

    private record Network(String location, Object shapes) {}

    private final Map<Network, Weights> loaded = new HashMap<>();

    private Together() {}

    @Override
    public WeightLoader.Place place(Adding adding) {
      return (files, layout, loading) ->
          adding.to(files.component(), shared(files, layout, loading));
    }

    private synchronized Weights shared(
        WeightFiles files, WeightLayout layout, Supplier<Weights> loading) {
      Network network = new Network(files.location().toString(), layout.shapes());
      return loaded.computeIfAbsent(network, absent -> loading.get());
    }

    @Override
    public synchronized void close() {
      loaded.values().forEach(Weights::close);
      loaded.clear();
    }
  }

  /** See {@link #inTurn(Device)}. */
  record InTurn(DeviceTurns turns) implements Residence {

    @Override
    public WeightLoader.Place place(Adding adding) {
      return (files, layout, loading) ->
          Weights.inTurn(
              turns,
              group(files.component()),
              () -> {
                try (Weights weights = loading.get()) {
                  return adding.to(files.component(), weights);
                }
              });
    }

    /** {@code text_encoder}, {@code text_encoder_2} and {@code text_encoder_3} read together. */
    private static String group(String component) {
      return component.replaceFirst("_\\d+$", "");
    }

    @Override
    public void close() {}
  }
}
