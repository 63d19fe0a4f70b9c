package io.lightmill.pipeline.lora;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.lightmill.pipeline.checkpoint.CheckpointCache;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.NameList;
import io.lightmill.pipeline.checkpoint.RegularFile;
import io.lightmill.pipeline.checkpoint.SafetensorsFile;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * The scale of an adapter's layers: {@code alpha / rank}, where alpha is a tensor (kohya), a value
 * of PEFT's config, or else the rank. diffusers puts the config into the file's metadata, with keys
 * prefixed by the component; PEFT puts it next to the file.
 *
 * @param config of PEFT; empty if there is none
 * @param beside the config file; empty if the config is in the adapter's metadata
 */
record LoraScale(JsonNode config, Optional<Path> beside) {

  /** diffusers' key, whose value is JSON in a string. */
  private static final String METADATA = "lora_adapter_metadata";

  /**
   * Keys of PEFT's config that do not change what a saved adapter adds: where it came from, how it
   * was trained, and to which layers, which the tensors tell.
   */
  private static final Set<String> IDLE =
      Set.of(
          "auto_mapping",
          "base_model_name_or_path",
          "corda_config",
          "ensure_weight_tying",
          "eva_config",
          "exclude_modules",
          "inference_mode",
          "layers_pattern",
          "layers_to_transform",
          "loftq_config",
          "lora_dropout",
          "lora_ga_config",
          "megatron_config",
          "megatron_core",
          "modules_to_save", // saved under names that are no LoRA's
          "peft_version",
          "qalora_group_size",
          "r",
          "rank_pattern",
          "revision",
          "runtime_config",
          "target_modules",
          "task_type");

  /** Keys that mean nothing if they are false. */
  private static final Set<String> SWITCHES =
      Set.of("fan_in_fan_out", "use_qalora", "use_bdlora", "trainable_token_indices");

  private static final Set<String> READ =
      Set.of(
          "alpha_pattern",
          "bias",
          "init_lora_weights",
          "lora_alpha",
          "lora_bias",
          "peft_type",
          "use_dora",
          "use_rslora");

  /** PEFT's ways to begin that change the checkpoint's own weights. */
  private static final List<String> CHANGING = List.of("pissa", "olora", "corda", "loftq");

  static LoraScale of(SafetensorsFile file, List<String> faults) {
    Path beside = file.path().resolveSibling(CheckpointCache.ADAPTER_CONFIG);
    if (!file.metadata().containsKey(METADATA) && RegularFile.exists(beside)) {
      return new LoraScale(ComponentConfig.read(beside).json(), Optional.of(beside));
    }
    String json = file.metadata().getOrDefault(METADATA, "{}");
    try {
      return new LoraScale(new JsonMapper().readTree(json), Optional.empty());
    } catch (JsonProcessingException e) {
      faults.add("its metadata '%s' is not JSON (%s)".formatted(METADATA, e.getOriginalMessage()));
      return new LoraScale(new JsonMapper().createObjectNode(), Optional.empty());
    }
  }

  /** Notes what PEFT's config asks for besides plain low-rank matrices. */
  void refuseOthers(String component, List<String> faults) {
    String where = beside.map(path -> "its " + path.getFileName()).orElse("its metadata");
    if (value(component, "use_dora").asBoolean(false)) {
      faults.add(where + " asks for DoRA ('use_dora'), which also rescales weights");
    }
    if (value(component, "lora_bias").asBoolean(false)
        || !value(component, "bias").asText("none").equals("none")) {
      faults.add(where + " asks for biases ('bias' or 'lora_bias')");
    }
    if (!value(component, "peft_type").asText("LORA").equals("LORA")) {
      faults.add(
          "%s says '%s' for 'peft_type'".formatted(where, value(component, "peft_type").asText()));
    }
    List<String> unknown = unknown(component);
    if (!unknown.isEmpty()) {
      faults.add(
          "%s has keys that Lightmill does not know, so that they might change the image: %s"
              .formatted(where, NameList.of(unknown)));
    }
    String start = value(component, "init_lora_weights").asText("");
    if (CHANGING.stream().anyMatch(start::startsWith)) {
      faults.add(
          "%s says '%s' for 'init_lora_weights', which changes the checkpoint itself"
              .formatted(where, start));
    }
  }

  /** Null and empty values ask for nothing, nor do switches that are off. */
  private List<String> unknown(String component) {
    String prefix = beside.isPresent() ? "" : component + ".";
    return config
        .propertyStream()
        .filter(field -> field.getKey().startsWith(prefix))
        .map(field -> Map.entry(field.getKey().substring(prefix.length()), field.getValue()))
        .filter(field -> !IDLE.contains(field.getKey()) && !READ.contains(field.getKey()))
        .filter(field -> !isEmpty(field.getValue()))
        .filter(field -> !(SWITCHES.contains(field.getKey()) && isFalse(field.getValue())))
        .map(field -> "'%s'".formatted(field.getKey()))
        .toList();
  }

  private static boolean isFalse(JsonNode value) {
    return value.isBoolean() && !value.booleanValue();
  }

  private static boolean isEmpty(JsonNode value) {
    return value.isNull() || (value.isContainerNode() && value.isEmpty());
  }

  private JsonNode value(String component, String key) {
    return config.path(beside.isPresent() ? key : component + "." + key);
  }

  /**
   * The factor of a layer without an alpha tensor.
   *
   * @param layer as the file names it, below the component
   */
  double of(String component, String layer, long rank) {
    JsonNode alpha = value(component, "lora_alpha");
    JsonNode pattern = value(component, "alpha_pattern");
    double value = alpha.isNumber() ? alpha.doubleValue() : (double) rank;
    for (var entry : pattern.properties()) {
      if (matches(entry.getKey(), layer) && entry.getValue().isNumber()) {
        value = entry.getValue().doubleValue();
        break;
      }
    }
    boolean rankStabilized = value(component, "use_rslora").asBoolean(false);
    return value / (rankStabilized ? Math.sqrt((double) rank) : (double) rank);
  }

  /** PEFT takes a pattern for the end of a layer's name, from a dot on. */
  private static boolean matches(String pattern, String layer) {
    try {
      return Pattern.matches("(.*\\.)?(" + pattern + ")", layer);
    } catch (PatternSyntaxException e) {
      return layer.equals(pattern) || layer.endsWith("." + pattern);
    }
  }
}
