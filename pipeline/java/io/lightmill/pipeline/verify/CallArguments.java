package io.lightmill.pipeline.verify;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.ConfigSource;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;

/**
 * The arguments of a recorded call, which must be such that requests express them.
 *
 * @param caseName of the call
 * @param json the case as {@code cases.json} holds it
 * @param defaults of the pipeline's {@code __call__}
 * @param settingNames arguments that set the pipeline and not a request
 */
record CallArguments(
    String caseName, JsonNode json, PipelineLimits.Defaults defaults, Set<String> settingNames) {

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

  /** The call as requests, in the order of its images: those of one prompt are adjacent. */
  List<ImageRequest> requests() {
    requireExpressible();
    List<String> prompts = texts("prompt");
    if (prompts.isEmpty()) {
      throw wrong("prompt", "a string or a list of strings");
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

  /** The settings of the pipeline for this call. */
  ComponentConfig settings(Path file) {
    ObjectNode settings = JsonNodeFactory.instance.objectNode();
    for (String key : settingNames) {
      JsonNode given = json.path("load_overrides").path(key);
      settings.set(key, given.isMissingNode() ? args().get(key) : given);
    }
    return new ComponentConfig(file, settings);
  }

  /** One text per prompt, from an argument that may be absent or one for all prompts. */
  private List<Optional<String>> texts(String key, int prompts) {
    List<String> texts = texts(key);
    if (texts.size() > 1 && texts.size() != prompts) {
      throw wrong(key, "one string for all prompts or one for each");
    }
    return IntStream.range(0, prompts)
        .mapToObj(i -> texts.isEmpty() ? null : texts.get(texts.size() == 1 ? 0 : i))
        .map(Optional::ofNullable)
        .toList();
  }

  /** To diffusers, an empty second or third prompt is absent. */
  private static Optional<String> notEmpty(Optional<String> text) {
    return text.filter(given -> !given.isEmpty());
  }

  private void requireExpressible() {
    Set<String> unknown = new TreeSet<>();
    args().fieldNames().forEachRemaining(unknown::add);
    json.path("load_overrides").fieldNames().forEachRemaining(unknown::add);
    unknown.removeAll(EXPRESSIBLE);
    unknown.removeAll(settingNames);
    if (!unknown.isEmpty()) {
      throw new LightmillException(
          ErrorCode.INPUT_INVALID,
          "the case '%s' of the reference uses %s, which no request of Lightmill expresses; remove the case"
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
    return typed().texts(key);
  }

  private int count(String key, int absent) {
    return typed().count(key, absent);
  }

  private double number(String key, double absent) {
    return typed().number(key, absent);
  }

  private LightmillException wrong(String key, String expected) {
    return typed().wrong(key, expected);
  }

  private ComponentConfig typed() {
    return new ComponentConfig(
        new ConfigSource(
            "the case '%s' of the reference".formatted(caseName),
            "",
            ErrorCode.INPUT_INVALID,
            "fix or remove the case"),
        args());
  }

  private JsonNode args() {
    return json.path("args");
  }
}
