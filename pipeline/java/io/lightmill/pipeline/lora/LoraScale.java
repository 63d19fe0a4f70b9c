package io.lightmill.pipeline.lora;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.lightmill.pipeline.checkpoint.SafetensorsFile;
import java.util.List;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * How strongly an adapter's layers count by themselves: {@code alpha / rank}, where alpha is a
 * tensor (kohya), a value of PEFT's config that diffusers puts into the file's metadata, or else
 * the rank.
 *
 * @param config of PEFT, its keys under a component's name; empty if there is none
 */
record LoraScale(JsonNode config) {

  /** diffusers' key, whose value is JSON in a string. */
  private static final String METADATA = "lora_adapter_metadata";

  static LoraScale of(SafetensorsFile file, List<String> faults) {
    String json = file.metadata().getOrDefault(METADATA, "{}");
    try {
      return new LoraScale(new JsonMapper().readTree(json));
    } catch (JsonProcessingException e) {
      faults.add("its metadata '%s' is not JSON (%s)".formatted(METADATA, e.getOriginalMessage()));
      return new LoraScale(new JsonMapper().createObjectNode());
    }
  }

  /** Notes what PEFT's config asks for besides plain low-rank matrices. */
  void refuseOthers(String component, List<String> faults) {
    if (config.path(component + ".use_dora").asBoolean(false)) {
      faults.add("its metadata asks for DoRA, which also rescales weights");
    }
  }

  /**
   * The factor of a layer without an alpha tensor.
   *
   * @param layer as the file names it, below the component
   */
  double of(String component, String layer, long rank) {
    JsonNode alpha = config.path(component + ".lora_alpha");
    JsonNode pattern = config.path(component + ".alpha_pattern");
    double value = alpha.isNumber() ? alpha.doubleValue() : (double) rank;
    for (var entry : pattern.properties()) {
      if (matches(entry.getKey(), layer) && entry.getValue().isNumber()) {
        value = entry.getValue().doubleValue();
        break;
      }
    }
    boolean rankStabilized = config.path(component + ".use_rslora").asBoolean(false);
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
