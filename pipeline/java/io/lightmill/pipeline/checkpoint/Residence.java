package io.lightmill.pipeline.checkpoint;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.torch.DeviceTurns;
import io.lightmill.pipeline.torch.Weights;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

/** Decides how the networks of several pipelines over one checkpoint share one device. */
public interface Residence extends AutoCloseable {

  /** Turns a component's weights into those of one pipeline, for example by adding adapters. */
  @FunctionalInterface
  interface Adding {

    /** A new dictionary; the caller still owns the given one. */
    Weights to(String component, Weights weights);
  }

  /**
   * The source of weights for the networks of one pipeline.
   *
   * @param adding turns the checkpoint's weights into the pipeline's
   */
  WeightLoader.Place place(Adding adding);

  /** Frees the weights that no pipeline owns. */
  @Override
  void close();

  /** All networks stay on the device, and pipelines share the checkpoint's tensors. */
  static Residence together() {
    return new Together();
  }

  /**
   * Text encoders, transformer and autoencoder take turns: each is loaded from its files when it is
   * used and leaves the device for the next, so that only the largest of them must fit. The files
   * stay in the host's page cache as far as it has space.
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

    /**
     * {@code text_encoder}, {@code text_encoder_2} and {@code text_encoder_3} are used together.
     */
    private static String group(String component) {
      return component.replaceFirst("_\\d+$", "");
    }

    @Override
    public void close() {}
  }
}
