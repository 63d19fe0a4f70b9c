package io.lightmill.pipeline.lora;

import io.lightmill.pipeline.checkpoint.WeightLayout;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The meanings of the names in adapter files: diffusers' and PEFT's with dots, kohya's with
 * underscores, those of the models' first releases with either.
 */
final class LoraNames {

  /**
   * A layer of a component.
   *
   * @param component such as {@code transformer}
   * @param name of the layer in the file, below the component
   * @param parts of the network that its rows belong to, one after the other
   */
  record Meaning(String component, String name, List<LayerPart> parts) {}

  static final String TRANSFORMER = "transformer";

  /** Prefixes that libraries add to all names. */
  private static final List<String> WRAPPERS =
      List.of("base_model.model.", "model.diffusion_model.");

  /** Prefixes of layers in files of text encoders. */
  private static final List<String> ROOTS =
      List.of("", "text_model.", "model.", "model.language_model.");

  private final Map<String, String> components = new LinkedHashMap<>();
  private final Map<String, Map<String, List<LayerPart>>> parts = new HashMap<>();

  /**
   * Names of a checkpoint's layers.
   *
   * @param originalNames of the transformer's layers; see {@link OriginalNames}
   * @param networks of its components
   */
  LoraNames(String originalNames, Map<String, WeightLayout> networks) {
    networks.forEach(
        (component, layout) -> {
          if (component.equals(TRANSFORMER) || component.startsWith("text_encoder")) {
            parts.put(component, spelled(originalNames, component, layout));
          }
        });
    parts.keySet().forEach(component -> components.put(component + ".", component));
    components.put("diffusion_model.", TRANSFORMER);
    components.put("lora_unet_", TRANSFORMER);
    components.put("lora_transformer_", TRANSFORMER);
    components.put("lycoris_", TRANSFORMER);
    components.put("lora_te_", "text_encoder");
    components.put("lora_te1_", "text_encoder");
    components.put("lora_te2_", "text_encoder_2");
    // The third is T5 in kohya's scripts, also of FLUX.1, where it is the second component.
    components.put(
        "lora_te3_", parts.containsKey("text_encoder_3") ? "text_encoder_3" : "text_encoder_2");
  }

  private static Map<String, List<LayerPart>> spelled(
      String originalNames, String component, WeightLayout layout) {
    Map<String, List<LayerPart>> dotted = new LinkedHashMap<>();
    if (component.equals(TRANSFORMER)) {
      layout.linears().forEach(layer -> dotted.put(layer, List.of(LayerPart.whole(layer))));
      dotted.putAll(OriginalNames.of(originalNames, layout.linears()));
    } else {
      for (String root : ROOTS) {
        layout
            .linears()
            .forEach(layer -> dotted.put(root + layer, List.of(LayerPart.whole(layer))));
      }
    }
    Map<String, List<LayerPart>> both = new HashMap<>(dotted);
    dotted.forEach((name, means) -> both.putIfAbsent(name.replace('.', '_'), means));
    return both;
  }

  /** What a layer of a file is; empty if the checkpoint has no such layer. */
  Optional<Meaning> meaning(String stored) {
    String name = stored;
    for (String wrapper : WRAPPERS) {
      name = name.startsWith(wrapper) ? name.substring(wrapper.length()) : name;
    }
    for (Map.Entry<String, String> prefix : components.entrySet()) {
      if (name.startsWith(prefix.getKey())) {
        return meaning(prefix.getValue(), name.substring(prefix.getKey().length()));
      }
    }
    return meaning(TRANSFORMER, name);
  }

  private Optional<Meaning> meaning(String component, String name) {
    return Optional.ofNullable(parts.getOrDefault(component, Map.of()).get(name))
        .map(means -> new Meaning(component, name, means));
  }
}
