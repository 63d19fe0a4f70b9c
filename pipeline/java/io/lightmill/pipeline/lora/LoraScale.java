package io.lightmill.pipeline.lora;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.lightmill.pipeline.checkpoint.CheckpointCache;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.SafetensorsFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
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

  /** PEFT's ways to begin that change the checkpoint's own weights. */
  private static final List<String> CHANGING = List.of("pissa", "olora", "corda", "loftq");

  static LoraScale of(SafetensorsFile file, List<String> faults) {
    Path beside = file.path().resolveSibling(CheckpointCache.ADAPTER_CONFIG);
    if (!file.metadata().containsKey(METADATA) && Files.exists(beside)) {
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
    String start = value(component, "init_lora_weights").asText("");
    if (CHANGING.stream().anyMatch(start::startsWith)) {
      faults.add(
          "%s says '%s' for 'init_lora_weights', which changes the checkpoint itself"
              .formatted(where, start));
    }
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
