package io.lightmill.pipeline.checkpoint;

import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Makes the projections of an attention to queries, keys and values one layer, so that one product
 * computes them, and its output need not be concatenated.
 */
final class ProjectionFusion {

  private static final ScriptModule SCRIPT = ScriptModule.of("weights", "Weights");

  private final Map<String, List<String>> layers;
  private final Map<String, String> fusedByLayer = new HashMap<>();

  ProjectionFusion(WeightLayout layout) {
    this.layers = FusedLayers.projections(layout.linears());
    layers.forEach((fused, parts) -> parts.forEach(part -> fusedByLayer.put(part, fused)));
  }

  /** The names of the fused layers. */
  Set<String> names() {
    return layers.keySet();
  }

  /**
   * Fuses the tensors of a layer's parts if all of them are there. Called after each tensor that is
   * loaded, it lets the next layers have the memory of the parts.
   *
   * @param tensors loaded so far; those that are replaced are closed
   * @param name of the tensor that was loaded last
   */
  void fuse(Map<String, Tensor> tensors, String name) {
    int dot = Math.max(name.lastIndexOf('.'), 0);
    String fused = fusedByLayer.get(name.substring(0, dot));
    if (fused == null) {
      return;
    }
    String suffix = name.substring(dot);
    List<String> parts = layers.get(fused).stream().map(part -> part + suffix).toList();
    if (tensors.keySet().containsAll(parts)) {
      List<Tensor> rows = new ArrayList<>();
      parts.forEach(part -> rows.add(tensors.get(part)));
      tensors.put(fused + suffix, Tensor.cat(rows));
      parts.forEach(part -> tensors.remove(part).close());
    }
  }

  /**
   * Gives each head its copy of the norms of queries and keys, where the checkpoint has them.
   *
   * @param tensors of the whole network, fused
   */
  void repeatNorms(Map<String, Tensor> tensors) {
    for (String fused : layers.keySet()) {
      String norm = fused.replaceFirst("to_(added_)?qkv$", "norm_$1");
      Tensor queries = tensors.get(norm + "q.weight");
      Tensor keys = tensors.get(norm + "k.weight");
      if (queries != null && keys != null) {
        long heads = tensors.get(fused + ".weight").shape()[0] / 3 / queries.shape()[0];
        tensors.put(norm + "qk.weight", SCRIPT.tensor("head_norms", queries, keys, heads));
      }
    }
  }
}
