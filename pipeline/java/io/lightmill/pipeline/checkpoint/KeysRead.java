package io.lightmill.pipeline.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import io.lightmill.pipeline.LightmillException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The keys of a config that its reader has asked for. The others may change the image. */
final class KeysRead {

  /** Keys whose values diffusers passes over. */
  private static final String DEFAULTS = "_use_default_values";

  private static final String QUANTIZATION = "quantization_config";

  private final Set<String> keys = ConcurrentHashMap.newKeySet();

  void add(String key) {
    keys.add(key);
  }

  Set<String> keys() {
    return Set.copyOf(keys);
  }

  /** See {@link ComponentConfig#requireAllRead}. */
  void requireAll(ComponentConfig config, Collection<String> idle) {
    requireNoQuantization(config);
    List<String> defaults =
        config.names(DEFAULTS).stream().filter(key -> config.json().has(key)).toList();
    if (!defaults.isEmpty()) {
      throw config.wrong(
          DEFAULTS, "without the keys whose values are to be used: " + NameList.of(defaults));
    }
    List<String> unknown =
        config
            .json()
            .propertyStream()
            .filter(field -> !field.getKey().startsWith("_") && !isEmpty(field.getValue()))
            .map(Map.Entry::getKey)
            .filter(key -> !keys.contains(key) && !idle.contains(key))
            .map(key -> "'%s%s'".formatted(config.source().path(), key))
            .toList();
    if (!unknown.isEmpty()) {
      throw new LightmillException(
          config.source().code(),
          "%s has keys that Lightmill does not know, so that they might change the image: %s; remove them if they do not"
              .formatted(config.source().name(), NameList.of(unknown)));
    }
  }

  private static void requireNoQuantization(ComponentConfig config) {
    if (config.has(QUANTIZATION)) {
      throw new LightmillException(
          config.source().code(),
          "%s describes weights that are quantised with %s ('%s'); use the model's weights in F32, F16 or BF16, which are not quantised"
              .formatted(
                  config.source().name(),
                  config.json().path(QUANTIZATION).path("quant_method").asText("an unnamed tool"),
                  QUANTIZATION));
    }
  }

  private static boolean isEmpty(JsonNode value) {
    return value.isNull() || (value.isContainerNode() && value.isEmpty());
  }
}
