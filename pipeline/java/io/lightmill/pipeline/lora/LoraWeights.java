package io.lightmill.pipeline.lora;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.LoraBlend;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.checkpoint.WeightStore;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.Weights;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Extends the weights of networks by a blend of adapters: {@code layer.lora_A [ranks, inputs]} and
 * {@code layer.lora_B [outputs, ranks]}. The weights of the blend are multiplied into the latter in
 * 32-bit floats.
 */
public final class LoraWeights implements WeightStore.Extension {

  private static final ScriptModule SCRIPT = ScriptModule.of("lora", "Lora");
  private static final WeightLoader ON_CPU = new WeightLoader(Device.CPU, DType.F32);

  private record Weighted(LoraAdapter adapter, LoraLayer layer, double weight) {}

  private final Map<String, LoraAdapter> adapters;
  private final LoraBlend blend;
  private final Device device;
  private final DType dtype;

  /**
   * @param adapters by name, including all that the blend names
   * @param dtype that the networks compute in
   */
  public LoraWeights(
      Map<String, LoraAdapter> adapters, LoraBlend blend, Device device, DType dtype) {
    this.adapters = adapters;
    this.blend = blend;
    this.device = device;
    this.dtype = dtype;
  }

  @Override
  public Weights of(String component, Weights weights) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    try {
      layers(component)
          .forEach(
              (name, parts) -> {
                tensors.put(name + ".lora_A", joined(parts, LoraWeights::down, 0));
                tensors.put(name + ".lora_B", joined(parts, LoraWeights::up, 1));
              });
      return weights.with(tensors);
    } finally {
      tensors.values().forEach(Tensor::close);
    }
  }

  private Map<String, List<Weighted>> layers(String component) {
    Map<String, List<Weighted>> layers = new LinkedHashMap<>();
    blend
        .weights()
        .forEach(
            (name, weight) -> {
              LoraAdapter adapter = adapters.get(name);
              for (LoraLayer layer : adapter.layers()) {
                if (layer.component().equals(component)) {
                  layers
                      .computeIfAbsent(layer.layer(), absent -> new ArrayList<>())
                      .add(new Weighted(adapter, layer, weight.doubleValue()));
                }
              }
            });
    return layers;
  }

  private interface Half {
    Tensor of(Weighted part);
  }

  private Tensor joined(List<Weighted> parts, Half half, int dimension) {
    List<Tensor> tensors = new ArrayList<>();
    try {
      parts.forEach(part -> tensors.add(half.of(part)));
      return SCRIPT.tensor("cat", tensors.toArray(new Tensor[0]), dimension, device, dtype);
    } finally {
      tensors.forEach(Tensor::close);
    }
  }

  private static Tensor down(Weighted part) {
    return ON_CPU.read(part.adapter().file(), part.layer().down());
  }

  private static Tensor up(Weighted part) {
    LoraLayer layer = part.layer();
    try (Tensor up = ON_CPU.read(part.adapter().file(), layer.up())) {
      return SCRIPT.tensor(
          "up",
          up,
          layer.firstRow(),
          layer.rows(),
          layer.place(),
          layer.outputs(),
          layer.scale() * part.weight());
    }
  }
}
