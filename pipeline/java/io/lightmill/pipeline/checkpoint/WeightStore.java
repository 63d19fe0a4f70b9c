package io.lightmill.pipeline.checkpoint;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.torch.ModelOffload;
import io.lightmill.pipeline.torch.Weights;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

/** The weights of one checkpoint on one device, for several sets of networks over it. */
public interface WeightStore extends AutoCloseable {

  /** Of networks that stay on the device. */
  ModelOffload.Loads NO_LOADS = new ModelOffload.Loads(0, 0);

  /** Extends the weights of a component, such as by an adapter. */
  @FunctionalInterface
  interface Extension {

    /** A new dictionary; the given one stays the caller's. */
    Weights of(String component, Weights weights);
  }

  /**
   * The source of weights for one set of networks.
   *
   * @param extension of the checkpoint's weights
   */
  WeightLoader.Place place(Extension extension);

  /** What has been loaded again while networks took turns on the device. */
  default ModelOffload.Loads loads() {
    return NO_LOADS;
  }

  /** Frees the weights that no network owns. */
  @Override
  void close();

  /** All networks stay on the device and share the checkpoint's tensors. */
  static WeightStore resident() {
    return new Resident();
  }

  /**
   * Text encoders, transformer and autoencoder are on the device one after the other. Each is
   * loaded from its files when it is used, so that the device holds the largest of them only. The
   * files stay in the host's page cache as far as it has memory.
   */
  static WeightStore offloaded(Device device) {
    return new Offloaded(new ModelOffload(device));
  }

  /** See {@link #resident()}. */
  final class Resident implements WeightStore {

    private record Network(String location, Object shapes) {}

    private final Map<Network, Weights> loaded = new HashMap<>();

    private Resident() {}

    @Override
    public WeightLoader.Place place(Extension extension) {
      return (files, layout, bytes, loading) ->
          extension.of(files.component(), shared(files, layout, loading));
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

  /** See {@link #offloaded(Device)}. */
  record Offloaded(ModelOffload offload) implements WeightStore {

    @Override
    public WeightLoader.Place place(Extension extension) {
      return (files, layout, bytes, loading) ->
          Weights.offloaded(
              offload,
              group(files.component()),
              bytes,
              () -> {
                try (Weights weights = loading.get()) {
                  return extension.of(files.component(), weights);
                }
              });
    }

    /** {@code text_encoder}, {@code text_encoder_2} and {@code text_encoder_3} are one group. */
    private static String group(String component) {
      return component.replaceFirst("_\\d+$", "");
    }

    @Override
    public ModelOffload.Loads loads() {
      return offload.loads();
    }

    @Override
    public void close() {}
  }
}
