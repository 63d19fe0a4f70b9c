package io.lightmill.pipeline.checkpoint;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.UnaryOperator;

/**
 * A tensor and the file that it lies in.
 *
 * @param file of the component's weights
 * @param entry of that file
 */
record StoredTensor(SafetensorsFile file, TensorEntry entry) {

  /**
   * Finds the tensors of a layout in a component's files. What the layout does not state stays
   * where it is: encoders of autoencoders, buffers, heads of other tasks.
   *
   * @param rename from the file's name to the network's
   * @return the stored tensors by the network's names
   * @throws LightmillException with {@code WEIGHTS_INVALID} that names all tensors that are missing
   *     or of another shape
   */
  static Map<String, StoredTensor> of(
      WeightLayout layout, WeightFiles component, UnaryOperator<String> rename) {
    Map<String, StoredTensor> found = new TreeMap<>();
    for (SafetensorsFile file : component.files()) {
      for (TensorEntry entry : file.tensors().values()) {
        String name = rename.apply(entry.name());
        if (layout.shapes().containsKey(name)) {
          found.put(name, new StoredTensor(file, entry));
        }
      }
    }
    requireAll(layout.shapes(), found, component);
    return found;
  }

  private static void requireAll(
      Map<String, List<Long>> shapes, Map<String, StoredTensor> found, WeightFiles component) {
    List<String> faults = new ArrayList<>();
    TreeSet<String> missing = new TreeSet<>(shapes.keySet());
    missing.removeAll(found.keySet());
    if (!missing.isEmpty()) {
      faults.add("lacks the weights " + String.join(", ", missing));
    }
    found.forEach(
        (name, tensor) -> {
          if (!tensor.entry().shape().equals(shapes.get(name))) {
            faults.add(
                "has '%s' of shape %s where the config asks for %s"
                    .formatted(tensor.entry().name(), tensor.entry().shape(), shapes.get(name)));
          } else if (!tensor.entry().dtype().floating()) {
            faults.add(
                "has '%s' of type %s where the network takes floating-point weights"
                    .formatted(tensor.entry().name(), tensor.entry().dtype()));
          }
        });
    if (!faults.isEmpty()) {
      throw new LightmillException(
          ErrorCode.WEIGHTS_INVALID,
          "%s %s; fetch the checkpoint again, or mend its config"
              .formatted(component.location(), String.join("; ", faults)));
    }
  }
}
