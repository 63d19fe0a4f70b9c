package io.lightmill.pipeline.checkpoint;

import io.lightmill.pipeline.torch.OneDnn;
import io.lightmill.pipeline.torch.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Gives the layers of a network {@linkplain OneDnn packed} weights, layer by layer, so that no more
 * than one layer is held twice. The projections of an attention {@linkplain ProjectionFusion become
 * one layer}.
 */
final class WeightPacking {

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
    ProjectionFusion fusion = new ProjectionFusion(layout);
    List.copyOf(tensors.keySet()).forEach(name -> fusion.fuse(tensors, name));
    fusion.repeatNorms(tensors);
    fusion.names().forEach(fused -> uses.put(fused + ".weight", WeightLayout.Use.LINEAR));
    for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
      entry.setValue(packed(entry.getValue(), uses.get(entry.getKey())));
    }
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
