package io.lightmill.pipeline.checkpoint;

import io.lightmill.pipeline.torch.OneDnn;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Gives the layers of a network {@linkplain OneDnn packed} weights, layer by layer, so that no more
 * than one layer is held twice. The projections of an attention to queries, keys and values become
 * one layer.
 */
final class WeightPacking {

  private static final ScriptModule SCRIPT = ScriptModule.of("weights", "Weights");

  private final WeightLayout layout;

  WeightPacking(WeightLayout layout) {
    this.layout = layout;
  }

  /**
   * @param tensors of the layout; those that are replaced are closed
   */
  void pack(Map<String, Tensor> tensors) {
    Map<String, WeightLayout.Use> uses = new HashMap<>();
    layout.shapes().keySet().forEach(name -> uses.put(name, layout.use(name)));
    FusedLayers.projections(layout.linears())
        .forEach(
            (fused, parts) -> {
              fuse(tensors, fused + ".weight", suffixed(parts, ".weight"));
              uses.put(fused + ".weight", WeightLayout.Use.LINEAR);
              repeatNorms(tensors, fused);
              if (tensors.containsKey(parts.get(0) + ".bias")) {
                fuse(tensors, fused + ".bias", suffixed(parts, ".bias"));
              }
            });
    for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
      entry.setValue(packed(entry.getValue(), uses.get(entry.getKey())));
    }
  }

  /** Gives each head its copy of the norms of queries and keys, where the checkpoint has them. */
  private static void repeatNorms(Map<String, Tensor> tensors, String fused) {
    String norm = fused.replaceFirst("to_(added_)?qkv$", "norm_$1");
    Tensor queries = tensors.get(norm + "q.weight");
    Tensor keys = tensors.get(norm + "k.weight");
    if (queries != null && keys != null) {
      long heads = tensors.get(fused + ".weight").shape()[0] / 3 / queries.shape()[0];
      tensors.put(norm + "qk.weight", SCRIPT.tensor("head_norms", queries, keys, heads));
    }
  }

  private static List<String> suffixed(List<String> layers, String suffix) {
    return layers.stream().map(layer -> layer + suffix).toList();
  }

  private static void fuse(Map<String, Tensor> tensors, String fused, List<String> parts) {
    List<Tensor> rows = new ArrayList<>();
    parts.forEach(part -> rows.add(tensors.get(part)));
    tensors.put(fused, Tensor.cat(rows));
    parts.forEach(part -> tensors.remove(part).close());
  }

  private static Tensor packed(Tensor weight, WeightLayout.Use use) {
    if (use == null || use == WeightLayout.Use.OTHER) {
      return weight;
    }
    try (weight) {
      return switch (use) {
        case LINEAR -> OneDnn.linear(weight);
        case CONVOLUTION -> OneDnn.convolution(weight);
        case UPSAMPLING -> OneDnn.upsampling(weight);
        case OTHER -> throw new IllegalStateException("weights of other layers are not packed");
      };
    }
  }
}
