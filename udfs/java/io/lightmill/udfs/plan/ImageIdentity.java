package io.lightmill.udfs.plan;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.image.ImageFormat;
import io.lightmill.udfs.column.RequestColumns;
import io.lightmill.udfs.device.Model;
import java.io.Serializable;
import java.util.Map;
import java.util.TreeMap;
import org.apache.commons.codec.digest.DigestUtils;

/**
 * Identifies an image by everything that decides its pixels: not by batch size, partitioning,
 * hardware or time.
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
    if (!model.checks().isEmpty()) {
      parts.put("checks", model.checks());
    }
    RequestColumns.identify(request, model.adapters(), parts);
    request.prompt2().ifPresent(text -> parts.put("prompt_2", text));
    request.prompt3().ifPresent(text -> parts.put("prompt_3", text));
    try {
      return JSON.writeValueAsString(parts);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("strings and numbers always have a JSON form", e);
    }
  }

  /** The first 32 hex digits of the SHA-256 of the canonical JSON. */
  public static String imageId(String canonicalJson) {
    return DigestUtils.sha256Hex(canonicalJson).substring(0, 32);
  }
}
