package io.lightmill.pipeline.verify;

import com.fasterxml.jackson.databind.JsonNode;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.checkpoint.SafetensorsFile;
import io.lightmill.pipeline.checkpoint.TensorEntry;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.torch.DType;
import io.lightmill.pipeline.torch.Device;
import io.lightmill.pipeline.torch.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * One recorded call of a diffusers pipeline: its arguments and the tensors that it went through.
 *
 * @param json the case as {@code cases.json} holds it
 * @param tensors the recordings of all cases
 */
record ReferenceCase(JsonNode json, SafetensorsFile tensors) {

  private static final WeightLoader LOADER = new WeightLoader(Device.CPU, DType.F32);

  /** The pipeline arguments that a request expresses. */
  private static final Set<String> ARGUMENTS =
      Set.of(
          "prompt",
          "negative_prompt",
          "height",
          "width",
          "num_inference_steps",
          "guidance_scale",
          "true_cfg_scale",
          "max_sequence_length",
          "num_images_per_prompt");

  ReferenceCase {
    Set<String> unknown = new TreeSet<>();
    json.path("args").fieldNames().forEachRemaining(unknown::add);
    json.path("load_overrides").fieldNames().forEachRemaining(unknown::add);
    unknown.removeAll(ARGUMENTS);
    if (!unknown.isEmpty()) {
      throw new LightmillException(
          ErrorCode.INPUT_INVALID,
          "the case '%s' uses %s, which Lightmill has no request for; remove the case"
              .formatted(json.path("name").asText(), unknown));
    }
  }

  String name() {
    return json.path("name").asText();
  }

  /** The call as requests, in the order of its pictures: each prompt's pictures side by side. */
  List<ImageRequest> requests() {
    JsonNode args = json.path("args");
    List<String> prompts = texts(args.path("prompt"));
    List<String> negatives = texts(args.path("negative_prompt"));
    int images = args.path("num_images_per_prompt").asInt(1);
    List<ImageRequest> requests = new ArrayList<>();
    for (int i = 0; i < prompts.size(); i++) {
      Optional<String> negative =
          negatives.isEmpty()
              ? Optional.empty()
              : Optional.of(negatives.get(negatives.size() == 1 ? 0 : i));
      requests.addAll(Collections.nCopies(images, request(args, prompts.get(i), negative)));
    }
    return requests;
  }

  /** What the call leaves out is diffusers' default for {@code FluxPipeline}. */
  private ImageRequest request(JsonNode args, String prompt, Optional<String> negative) {
    return new ImageRequest(
        prompt,
        negative,
        args.path("width").asInt(1024),
        args.path("height").asInt(1024),
        args.path("num_inference_steps").asInt(28),
        args.path("guidance_scale").asDouble(3.5),
        args.path("true_cfg_scale").asDouble(1),
        args.path("max_sequence_length").asInt(512),
        json.path("latent_seed").asLong());
  }

  private static List<String> texts(JsonNode node) {
    List<String> texts = new ArrayList<>();
    if (node.isTextual()) {
      texts.add(node.textValue());
    }
    node.forEach(text -> texts.add(text.asText()));
    return texts;
  }

  /** Names of all recorded tensors, those included that equal another and are stored once. */
  Set<String> recorded() {
    Set<String> names = new TreeSet<>();
    for (String key : tensors.tensors().keySet()) {
      if (key.startsWith(name() + "/")) {
        names.add(key.substring(name().length() + 1));
      }
    }
    json.path("aliases").fieldNames().forEachRemaining(names::add);
    return names;
  }

  /** A recorded tensor, to be closed by the caller; empty if it was not recorded. */
  Optional<Tensor> tensor(String tensor) {
    String stored = json.path("aliases").path(tensor).asText(tensor);
    TensorEntry entry = tensors.tensors().get(name() + "/" + stored);
    return Optional.ofNullable(entry).map(found -> LOADER.read(tensors, found));
  }
}
