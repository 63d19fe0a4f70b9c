package io.lightmill.udfs.plan;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.lightmill.pipeline.DrawingFacts;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.image.FileFormat;
import io.lightmill.pipeline.image.ImageFormat;
import io.lightmill.pipeline.image.PromptMetadata;
import io.lightmill.udfs.column.RequestColumns;
import io.lightmill.udfs.device.Model;
import io.lightmill.udfs.manifest.ReceiptFacts;
import java.io.Serializable;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.commons.codec.digest.DigestUtils;

/**
 * Identifies an image by everything that decides its pixels: not by batch size, partitioning,
 * hardware, time or what the file says about its provenance.
 *
 * @param watermark fingerprint of the watermark's key; null if images have none
 */
public record ImageIdentity(Model model, FileFormat file, String watermark)
    implements Serializable {

  /** Of images in the default quality of a format, without a watermark. */
  public ImageIdentity(Model model, ImageFormat format) {
    this(model, FileFormat.of(format), null);
  }

  public ImageFormat format() {
    return file.format();
  }

  private static final String IMAGE_ID = "image_id";

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
          .enable(StreamWriteFeature.WRITE_BIGDECIMAL_AS_PLAIN)
          .build();

  /** The request and the model as JSON: sorted keys, no white space, 4 for 4.0. */
  public String canonicalJson(ImageRequest request) {
    return json(parts(request));
  }

  /**
   * The JSON of a receipt: the canonical JSON with prompts as image files show them, and what
   * checks found. If that is not the canonical JSON, it has the image id too.
   */
  public String receiptJson(ImageRequest request, PromptMetadata prompts, DrawingFacts facts) {
    Optional<JsonNode> checked = ReceiptFacts.of(facts, prompts);
    if (prompts == PromptMetadata.FULL && checked.isEmpty()) {
      return canonicalJson(request);
    }
    Map<String, Object> parts = parts(prompts.shown(request));
    parts.put(IMAGE_ID, imageId(canonicalJson(request)));
    checked.ifPresent(found -> parts.put(ReceiptFacts.KEY, found));
    return json(parts);
  }

  private Map<String, Object> parts(ImageRequest request) {
    Map<String, Object> parts = new TreeMap<>();
    parts.put("model_digest", model.digest());
    if (model.hosted()) {
      addHosted(request, parts);
    } else {
      addDrawn(request, parts);
    }
    parts.put("format", format().extension());
    file.chosenQuality().ifPresent(quality -> parts.put("quality", quality));
    if (watermark != null) {
      parts.put("watermark", watermark);
    }
    if (!model.checks().isEmpty()) {
      parts.put("checks", model.checks());
    }
    return parts;
  }

  /**
   * What a hosted model gets. It draws another image each time, so that the identity is that of a
   * request: the variation is derived from id and variant of the row, or is the seed of the row.
   */
  private void addHosted(ImageRequest request, Map<String, Object> parts) {
    parts.put("endpoint", model.name());
    parts.put("reproducible", false);
    parts.put("prompt", request.prompt());
    parts.put("width", request.width());
    parts.put("height", request.height());
    parts.put("variation", request.seed());
  }

  private void addDrawn(ImageRequest request, Map<String, Object> parts) {
    parts.put("pipeline", model.pipelineClass());
    parts.put("scheduler", model.scheduler());
    parts.put("dtype", model.dtype());
    RequestColumns.identify(request, model.adapters(), parts);
    request.prompt2().ifPresent(text -> parts.put("prompt_2", text));
    request.prompt3().ifPresent(text -> parts.put("prompt_3", text));
  }

  private static String json(Map<String, Object> parts) {
    try {
      return JSON.writeValueAsString(parts);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("strings and numbers always have a JSON form", e);
    }
  }

  /**
   * The id of the image whose file has this receipt: the id that it names, else that of the JSON.
   *
   * @param receipt of {@link #receiptJson}
   */
  public static String imageIdOf(String receipt) {
    return namedId(receipt).orElseGet(() -> imageId(receipt));
  }

  /** Receipts without an id are most of them, and need not be parsed. */
  private static Optional<String> namedId(String receipt) {
    if (!receipt.contains('"' + IMAGE_ID + '"')) {
      return Optional.empty();
    }
    try {
      return Optional.ofNullable(JSON.readTree(receipt).path(IMAGE_ID).textValue());
    } catch (JsonProcessingException e) {
      return Optional.empty(); // damaged: the hash of the text is the id of no image
    }
  }

  /** The first 32 hex digits of the SHA-256 of the canonical JSON. */
  public static String imageId(String canonicalJson) {
    return DigestUtils.sha256Hex(canonicalJson).substring(0, 32);
  }
}
