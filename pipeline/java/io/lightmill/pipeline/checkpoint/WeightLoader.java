package io.lightmill.pipeline.checkpoint;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.torch.OneDnn;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.Weights;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Loads weights from files to a device. Files are memory-mapped: on the CPU, weights that already
 * have the requested type are the file's own pages; others are converted one tensor at a time, so
 * that loading never holds the weights twice. Layers that a CPU computes in 32 bits have
 * {@linkplain WeightPacking packed} weights, which are copies; on other devices, some layers are
 * {@linkplain ProjectionFusion fused}.
 *
 * @param device that the networks run on
 * @param dtype that they compute in
 * @param place that provides networks with their weights
 */
public record WeightLoader(Device device, DType dtype, Place place) {

  /** Decides how long the weights of a network stay loaded, and which networks share them. */
  @FunctionalInterface
  public interface Place {

    /** Every network loads its own weights and keeps them until it closes them. */
    Place OWN = (files, layout, bytes, loading) -> loading.get();

    /**
     * The weights of a network, which the network closes.
     *
     * @param files that hold them
     * @param layout of the network
     * @param bytes of the weights in the files
     * @param loading loads them
     */
    Weights weights(WeightFiles files, WeightLayout layout, long bytes, Supplier<Weights> loading);
  }

  /** A loader whose networks load their own weights. */
  public WeightLoader(Device device, DType dtype) {
    this(device, dtype, Place.OWN);
  }

  private static final ScriptModule SCRIPT = ScriptModule.of("weights", "Weights");

  /**
   * Loads the weights of a network; other tensors stay on disk.
   *
   * @throws LightmillException with {@code WEIGHTS_INVALID} if any is missing or has another shape
   */
  public Weights load(WeightFiles component, WeightLayout layout) {
    Map<String, StoredTensor> stored = StoredTensor.of(layout, component);
    long bytes = stored.values().stream().mapToLong(tensor -> tensor.entry().bytes()).sum();
    return place.weights(component, layout, bytes, () -> read(stored, layout));
  }

  private Weights read(Map<String, StoredTensor> stored, WeightLayout layout) {
    List<String> names = new ArrayList<>(stored.keySet());
    names.sort(Comparator.comparing(stored::get, StoredTensor.ON_DISK));
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    Optional<ProjectionFusion> fusion =
        device.equals(Device.CPU) ? Optional.empty() : Optional.of(new ProjectionFusion(layout));
    ReadAhead reading = new ReadAhead(names.stream().map(stored::get).toList());
    try {
      for (String name : names) {
        reading.awaitNext();
        tensors.put(name, read(stored.get(name).file(), stored.get(name).entry()));
        fusion.ifPresent(fusing -> fusing.fuse(tensors, name));
      }
      fusion.ifPresent(fusing -> fusing.repeatNorms(tensors));
      if (OneDnn.packs(device, dtype)) {
        new WeightPacking(layout).pack(tensors);
      }
      return Weights.of(tensors);
    } finally {
      reading.close();
      tensors.values().forEach(Tensor::close);
    }
  }

  /** Loads one tensor; integers keep their type. */
  public Tensor read(SafetensorsFile file, TensorEntry entry) {
    return read(file, entry, entry.dtype().floating() ? dtype : entry.dtype());
  }

  private Tensor read(SafetensorsFile file, TensorEntry entry, DType to) {
    int width = entry.dtype().bytes();
    if (entry.offset() % width != 0) {
      throw new LightmillException(
          ErrorCode.WEIGHTS_INVALID,
          "%s: tensor '%s' begins at byte %d, which is not a multiple of its %d bytes per element; "
                  .formatted(file.path(), entry.name(), entry.offset(), width)
              + "save the file again with a current safetensors");
    }
    long[] shape = entry.shape().stream().mapToLong(Long::longValue).toArray();
    return SCRIPT.tensor(
        "read",
        file.path().toString(),
        entry.dtype(),
        entry.offset() / width,
        entry.count(),
        shape.length == 0 ? new long[] {1} : shape, // an empty list cannot be passed
        device,
        to);
  }
}
