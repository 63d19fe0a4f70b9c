package io.lightmill.pipeline.verify;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/**
 * The arguments of a recorded call, which must be such that requests express them.
 *
 * @param caseName of the call
 * @param json the case as {@code cases.json} holds it
 * @param defaults of the pipeline
 */
record CallArguments(String caseName, JsonNode json, CallDefaults defaults) {

  private static final Set<String> EXPRESSIBLE =
      Set.of(
          "prompt",
          "prompt_2",
          "prompt_3",
          "negative_prompt",
          "height",
          "width",
          "num_inference_steps",
          "guidance_scale",
          "true_cfg_scale",
          "max_sequence_length",
          "num_images_per_prompt");

  /** The call as requests, in the order of its pictures: each prompt's pictures side by side. */
  List<ImageRequest> requests() {
    requireExpressible();
    List<String> prompts = texts("prompt");
    if (prompts.isEmpty()) {
      throw wrong("prompt", "a text or a list of texts");
    }
    List<Optional<String>> seconds = texts("prompt_2", prompts.size());
    List<Optional<String>> thirds = texts("prompt_3", prompts.size());
    List<Optional<String>> negatives = texts("negative_prompt", prompts.size());
    List<ImageRequest> requests = new ArrayList<>();
    for (int i = 0; i < prompts.size(); i++) {
      ImageRequest request =
          request(
              prompts.get(i), notEmpty(seconds.get(i)), notEmpty(thirds.get(i)), negatives.get(i));
      requests.addAll(Collections.nCopies(imagesPerPrompt(), request));
    }
    return List.copyOf(requests);
  }

  int imagesPerPrompt() {
    return count("num_images_per_prompt", 1);
  }

  /** What the pipeline is to be set to for this call. */
  ComponentConfig settings(Path file) {
    ObjectNode settings = JsonNodeFactory.instance.objectNode();
    for (String key : defaults.settings()) {
      JsonNode given = json.path("load_overrides").path(key);
      settings.set(key, given.isMissingNode() ? args().get(key) : given);
    }
    return new ComponentConfig(file, settings);
  }

  /** One text a prompt, of an argument that may be left out or be one for all. */
  private List<Optional<String>> texts(String key, int prompts) {
    List<String> texts = texts(key);
    if (texts.size() > 1 && texts.size() != prompts) {
      throw wrong(key, "one for all prompts or one for each");
    }
    return IntStream.range(0, prompts)
        .mapToObj(i -> texts.isEmpty() ? null : texts.get(texts.size() == 1 ? 0 : i))
        .map(Optional::ofNullable)
        .toList();
  }

  /** To diffusers, an empty further prompt is none. */
  private static Optional<String> notEmpty(Optional<String> text) {
    return text.filter(given -> !given.isEmpty());
  }

  private void requireExpressible() {
    Set<String> unknown = new TreeSet<>();
    args().fieldNames().forEachRemaining(unknown::add);
    json.path("load_overrides").fieldNames().forEachRemaining(unknown::add);
    unknown.removeAll(EXPRESSIBLE);
    unknown.removeAll(defaults.settings());
    if (!unknown.isEmpty()) {
      throw new LightmillException(
          ErrorCode.INPUT_INVALID,
          "the case '%s' of the reference uses %s, which no request of Lightmill's expresses; remove the case"
              .formatted(caseName, String.join(", ", unknown)));
    }
  }

  private ImageRequest request(
      String prompt, Optional<String> second, Optional<String> third, Optional<String> negative) {
    return ImageRequest.builder(prompt)
        .prompt2(second.orElse(null))
        .prompt3(third.orElse(null))
        .negativePrompt(negative.orElse(null))
        .width(count("width", defaults.width()))
        .height(count("height", defaults.height()))
        .numInferenceSteps(count("num_inference_steps", defaults.numInferenceSteps()))
        .guidanceScale(number("guidance_scale", defaults.guidanceScale()))
        .trueCfgScale(number("true_cfg_scale", defaults.trueCfgScale()))
        .maxSequenceLength(count("max_sequence_length", defaults.maxSequenceLength()))
        .seed(json.path("latent_seed").asLong())
        .build();
  }

  private List<String> texts(String key) {
    JsonNode value = args().path(key);
    if (!args().hasNonNull(key)) {
      return List.of();
    } else if (value.isTextual()) {
      return List.of(value.textValue());
    } else if (!value.isArray() || !value.valueStream().allMatch(JsonNode::isTextual)) {
      throw wrong(key, "a text or a list of texts");
    }
    return value.valueStream().map(JsonNode::textValue).toList();
  }

  private int count(String key, int absent) {
    return value(key, "a whole number above 0", n -> n.isInt() && n.intValue() > 0)
        .map(JsonNode::intValue)
        .orElse(absent);
  }

  private double number(String key, double absent) {
    return value(key, "a number", JsonNode::isNumber).map(JsonNode::doubleValue).orElse(absent);
  }

  private Optional<JsonNode> value(String key, String wanted, Predicate<JsonNode> condition) {
    if (!args().hasNonNull(key)) {
      return Optional.empty();
    }
    if (!condition.test(args().get(key))) {
      throw wrong(key, wanted);
    }
    return Optional.of(args().get(key));
  }

  private JsonNode args() {
    return json.path("args");
  }

  private LightmillException wrong(String key, String wanted) {
    return new LightmillException(
        ErrorCode.INPUT_INVALID,
        "the case '%s' of the reference has %s for '%s', which must be %s; fix or remove the case"
            .formatted(caseName, args().path(key), key, wanted));
  }
}
