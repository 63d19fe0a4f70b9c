package io.lightmill.udfs.plan;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.core.io.NumberOutput;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LoraBlend;
import io.lightmill.pipeline.image.ImageFormat;
import io.lightmill.udfs.device.Model;
import java.io.Serializable;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.commons.codec.digest.DigestUtils;

/**
 * Names an image by everything that decides its pixels, and by nothing else: not by batch size,
 * partitioning, hardware or time.
 */
public record ImageIdentity(Model model, ImageFormat format) implements Serializable {

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
          .enable(StreamWriteFeature.WRITE_BIGDECIMAL_AS_PLAIN)
          .build();

  /** The request and the model as JSON: sorted keys, no white space, 4 for 4.0. */
  public String canonicalJson(ImageRequest request) {
    Map<String, Object> parts = new TreeMap<>();
    parts.put("model_digest", model.digest());
    parts.put("pipeline", model.pipelineClass());
    parts.put("scheduler", model.scheduler());
    parts.put("dtype", model.dtype());
    parts.put("format", format.extension());
    parts.put("prompt", request.prompt());
    request.prompt2().ifPresent(text -> parts.put("prompt_2", text));
    request.prompt3().ifPresent(text -> parts.put("prompt_3", text));
    parts.put("negative_prompt", request.negativePrompt().orElse(null));
    parts.put("width", request.width());
    parts.put("height", request.height());
    parts.put("num_inference_steps", request.numInferenceSteps());
    parts.put("guidance_scale", normalized(request.guidanceScale()));
    parts.put("true_cfg_scale", normalized(request.trueCfgScale()));
    parts.put("max_sequence_length", request.maxSequenceLength());
    parts.put("seed", request.seed());
    if (!request.lora().isEmpty()) {
      parts.put("lora", adapters(request.lora()));
    }
    try {
      return JSON.writeValueAsString(parts);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("strings and numbers always have a JSON form", e);
    }
  }

  /** What an adapter is called does not decide pixels. */
  private List<Map<String, Object>> adapters(LoraBlend lora) {
    List<Map<String, Object>> adapters = new ArrayList<>();
    lora.weights()
        .forEach(
            (name, weight) ->
                adapters.add(Map.of("digest", model.adapters().get(name), "weight", weight)));
    adapters.sort(Comparator.comparing(adapter -> adapter.get("digest").toString()));
    return adapters;
  }

  /** The first 32 hex digits of the SHA-256 of the canonical JSON. */
  public static String imageId(String canonicalJson) {
    return DigestUtils.sha256Hex(canonicalJson).substring(0, 32);
  }

  /**
   * The shortest decimal that reads back as the value; Jackson's, since the JDK's changed in 19.
   */
  private static BigDecimal normalized(double value) {
    BigDecimal shortest = new BigDecimal(NumberOutput.toString(value, true)).stripTrailingZeros();
    return shortest.scale() < 0 ? shortest.setScale(0) : shortest;
  }
}
