package io.lightmill.udfs.ml;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.option.CheckOptions;
import io.lightmill.udfs.option.ColumnOptions;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.ModelOptions;
import io.lightmill.udfs.option.Option;
import io.lightmill.udfs.option.OptionGroup;
import io.lightmill.udfs.option.OptionRegistry;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.option.ProvenanceOptions;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.commons.text.CaseUtils;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.util.Identifiable;
import scala.jdk.javaapi.CollectionConverters;

/**
 * An option of the registry as a Param. Its name is the key in camel case: {@code
 * numInferenceSteps} is {@code num-inference-steps}. Its values are numbers, booleans and texts; an
 * option that is a map takes a map too.
 */
final class OptionParam extends Param<Object> {

  private static final long serialVersionUID = 1L;
  private static final JsonMapper JSON = new JsonMapper();

  /** Groups whose options say how an image is drawn. */
  private static final Set<OptionGroup> OF_IMAGES =
      Set.of(
          OptionGroup.MODEL,
          OptionGroup.IMAGES,
          OptionGroup.EFFICIENCY,
          OptionGroup.SAFETY,
          OptionGroup.PROVENANCE);

  /** Options of other groups that concern an image. */
  private static final List<Option<?>> FURTHER =
      List.of(Options.COLUMN, Options.PROMPT_TEMPLATE, Options.FORMAT, Options.QUALITY);

  /** Options that need an output, or that do not go with one image for each row. */
  private static final Set<Option<?>> LEFT_OUT =
      Set.of(
          ModelOptions.PARTITIONS,
          CheckOptions.QUARANTINE,
          ColumnOptions.all().get("num_images_per_prompt"));

  private final String key;

  OptionParam(Identifiable parent, Option<?> option) {
    super(
        parent,
        name(option),
        option.description(),
        value -> {
          entries(option.key(), value).forEach(GenerationOptions::check);
          return true;
        });
    this.key = option.key();
  }

  /** The options that a Transformer has, in the order of the registry. */
  static List<Option<?>> options() {
    return OptionRegistry.all().stream()
        .filter(option -> OF_IMAGES.contains(option.group()) || FURTHER.contains(option))
        .filter(option -> !LEFT_OUT.contains(option))
        .toList();
  }

  private static String name(Option<?> option) {
    return CaseUtils.toCamelCase(option.key(), false, '-');
  }

  /** A value as options have it, one entry for each entry of a map. */
  Map<String, String> entries(Object value) {
    return entries(key, value);
  }

  private static Map<String, String> entries(String key, Object value) {
    Map<String, String> entries = new TreeMap<>();
    if (plain(value) instanceof Map<?, ?> map) {
      map.forEach((name, each) -> entries.put(key + "." + name, each.toString()));
    } else {
      entries.put(key, value.toString());
    }
    return entries;
  }

  private static Object plain(Object value) {
    return value instanceof scala.collection.Map<?, ?> map
        ? CollectionConverters.asJava(map)
        : value;
  }

  /**
   * The value as a saved pipeline has it.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID} for a secret
   */
  @Override
  public String jsonEncode(Object value) {
    if (key.equals(ProvenanceOptions.WATERMARK.key())) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "param '%s' is a secret, which a saved pipeline does not contain; clear it before saving, and set it again after loading"
              .formatted(name()));
    }
    try {
      return JSON.writeValueAsString(plain(value));
    } catch (JsonProcessingException e) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "param '%s' has a value of class %s, which cannot be saved; give a number, a boolean, a text or a map of texts"
              .formatted(name(), value.getClass().getName()),
          e);
    }
  }

  @Override
  public Object jsonDecode(String json) {
    try {
      return JSON.readValue(json, Object.class);
    } catch (JsonProcessingException e) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "the saved param '%s' is no JSON value; save the pipeline again".formatted(name()),
          e);
    }
  }
}
