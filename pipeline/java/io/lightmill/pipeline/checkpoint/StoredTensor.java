package io.lightmill.pipeline.checkpoint;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A tensor and the file that holds it.
 *
 * @param file with weights of the component
 * @param entry of that file, or some rows of an entry
 */
record StoredTensor(SafetensorsFile file, TensorEntry entry) {

  /** The order in which disks read fastest. */
  static final Comparator<StoredTensor> ON_DISK =
      Comparator.comparing((StoredTensor tensor) -> tensor.file().path())
          .thenComparing(tensor -> tensor.entry().offset());

  private static final Logger LOG = LoggerFactory.getLogger(StoredTensor.class);

  /**
   * Finds the tensors of a layout in a component's files, under the names of any release, alone or
   * {@linkplain FusedLayers fused}. Other tensors are ignored.
   *
   * @return the stored tensors by the network's names
   * @throws LightmillException with {@code WEIGHTS_INVALID} that names all tensors that are
   *     missing, of another shape, or unknown
   */
  static Map<String, StoredTensor> of(WeightLayout layout, WeightFiles component) {
    Map<String, StoredTensor> found = new TreeMap<>();
    Map<String, StoredTensor> others = new TreeMap<>();
    for (SafetensorsFile file : component.files()) {
      for (TensorEntry entry : file.tensors().values()) {
        String name = layout.name(entry.name());
        (layout.shapes().containsKey(name) ? found : others)
            .put(name, new StoredTensor(file, entry));
      }
    }
    others.keySet().removeAll(FusedLayers.split(layout.shapes(), others, found));
    List<String> besides = names(others);
    others.keySet().removeIf(layout::isUnused);
    List<String> unknown = names(others);
    requireAll(layout.shapes(), found, besides, unknown, component);
    if (!unknown.isEmpty()) {
      LOG.warn(
          "{} has tensors that no network uses: {}", component.location(), NameList.of(unknown));
    }
    return found;
  }

  private static List<String> names(Map<String, StoredTensor> tensors) {
    return tensors.values().stream().map(tensor -> tensor.entry().name()).toList();
  }

  /**
   * @param besides names that the network does not use
   * @param unknown those of them that no network uses
   */
  private static void requireAll(
      Map<String, List<Long>> shapes,
      Map<String, StoredTensor> found,
      List<String> besides,
      List<String> unknown,
      WeightFiles component) {
    TreeSet<String> missing = new TreeSet<>(shapes.keySet());
    missing.removeAll(found.keySet());
    List<String> unfit = unfit(shapes, found);
    Optional<ForeignWeights> foreign =
        missing.isEmpty() && unfit.isEmpty()
            ? ForeignWeights.quantised(unknown)
            : ForeignWeights.of(shapes.keySet(), besides);
    if (foreign.isPresent()) {
      throw new LightmillException(
          ErrorCode.WEIGHTS_INVALID,
          "%s %s, with tensors that the network does not use: %s; %s"
              .formatted(
                  component.location(),
                  foreign.get().cause(),
                  NameList.of(besides),
                  foreign.get().fix()));
    }
    List<String> faults = new ArrayList<>();
    if (!missing.isEmpty()) {
      faults.add("lacks the weights " + NameList.of(missing));
    }
    if (!missing.isEmpty() && !unknown.isEmpty()) {
      faults.add("has unknown tensors instead: " + NameList.of(unknown));
    }
    if (!unfit.isEmpty()) {
      faults.add(NameList.of(unfit, "; "));
    }
    if (!faults.isEmpty()) {
      throw new LightmillException(
          ErrorCode.WEIGHTS_INVALID,
          "%s %s; fetch the checkpoint again, or fix its config"
              .formatted(component.location(), String.join("; ", faults)));
    }
  }

  /** The tensors of another shape or type than the network's. */
  private static List<String> unfit(
      Map<String, List<Long>> shapes, Map<String, StoredTensor> found) {
    List<String> unfit = new ArrayList<>();
    found.forEach(
        (name, tensor) -> {
          if (!tensor.entry().shape().equals(shapes.get(name))) {
            unfit.add(
                "has '%s' of shape %s where the config requires %s"
                    .formatted(tensor.entry().name(), tensor.entry().shape(), shapes.get(name)));
          } else if (!tensor.entry().dtype().floating()) {
            unfit.add(
                "has '%s' of type %s where the network requires floating-point weights"
                    .formatted(tensor.entry().name(), tensor.entry().dtype()));
          }
        });
    return unfit;
  }
}
