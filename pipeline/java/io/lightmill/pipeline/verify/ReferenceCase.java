package io.lightmill.pipeline.verify;

import com.fasterxml.jackson.databind.JsonNode;
import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.SafetensorsFile;
import io.lightmill.pipeline.checkpoint.TensorEntry;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.flow.Family;
import io.lightmill.pipeline.torch.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * One recorded call of a diffusers pipeline: its arguments and its intermediate tensors.
 *
 * @param name of the case
 * @param requests equivalent to the call, in the order of its images
 * @param imagesPerPrompt adjacent images of each prompt
 * @param settings of the pipeline
 * @param guidance of the pipeline
 * @param recordings of its tensors by name; several names may share one
 * @param file that holds them
 */
record ReferenceCase(
    String name,
    List<ImageRequest> requests,
    int imagesPerPrompt,
    ComponentConfig settings,
    ClassifierFreeGuidance guidance,
    Map<String, TensorEntry> recordings,
    SafetensorsFile file) {

  /** The latents that the call started from. */
  static final String LATENTS = "latents_init";

  static final String IMAGE = "image";

  private static final WeightLoader LOADER = new WeightLoader(Device.CPU, DType.F32);

  /**
   * Reads a case.
   *
   * @throws LightmillException with {@code INPUT_INVALID} if requests cannot express it, or if it
   *     lacks the initial latents or the image
   */
  static ReferenceCase of(JsonNode json, Family family, SafetensorsFile file) {
    String name = json.path("name").asText();
    CallArguments arguments =
        new CallArguments(name, json, family.callDefaults(), family.settings());
    ReferenceCase reference =
        new ReferenceCase(
            name,
            arguments.requests(),
            arguments.imagesPerPrompt(),
            arguments.settings(file.path()),
            family.guidanceArgument(),
            recordings(name, json, file),
            file);
    reference.requireRecording(LATENTS);
    reference.requireRecording(IMAGE);
    return reference;
  }

  private static Map<String, TensorEntry> recordings(
      String caseName, JsonNode json, SafetensorsFile file) {
    Map<String, TensorEntry> recordings = new TreeMap<>();
    for (String tensor :
        json.path("tensors").properties().stream().map(Map.Entry::getKey).toList()) {
      String stored = json.path("aliases").path(tensor).asText(tensor);
      TensorEntry entry = file.tensors().get(caseName + "/" + stored);
      if (entry == null) {
        throw new LightmillException(
            ErrorCode.INPUT_INVALID,
            "%s lacks the tensor '%s/%s' that cases.json lists; record the case again"
                .formatted(file.path(), caseName, stored));
      }
      recordings.put(tensor, entry);
    }
    return recordings;
  }

  private void requireRecording(String tensor) {
    if (!recordings.containsKey(tensor)) {
      throw new LightmillException(
          ErrorCode.INPUT_INVALID,
          "the case '%s' of the reference records no '%s'; record it again"
              .formatted(name, tensor));
    }
  }

  /** The weight of the classifier-free guidance. */
  double guidanceScale() {
    return guidance.scale(requests.get(0));
  }

  /** Names of all recorded tensors. */
  Set<String> recorded() {
    return recordings.keySet();
  }

  /** A recorded tensor, to be closed by the caller. */
  Tensor tensor(String tensor) {
    return LOADER.read(file, recordings.get(tensor));
  }

  /** The values of a recorded tensor. */
  Values values(String tensor) {
    try (Tensor recorded = tensor(tensor)) {
      return Values.of(recorded);
    }
  }
}
