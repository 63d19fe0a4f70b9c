package io.lightmill.udfs.regenerate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.LoraBlend;
import io.lightmill.pipeline.image.FileFormat;
import io.lightmill.pipeline.image.ImageFormat;
import io.lightmill.udfs.column.ColumnValues;
import io.lightmill.udfs.column.RequestColumn;
import io.lightmill.udfs.column.RequestColumns;
import io.lightmill.udfs.column.RequestLimits;
import io.lightmill.udfs.column.RowError;
import io.lightmill.udfs.option.ModelOptions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The receipt of an image file, as the values that it was drawn with.
 *
 * @param image name of the file, for messages
 * @param json of {@code ImageIdentity.receiptJson}
 */
record StoredReceipt(String image, JsonNode json) {

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .enable(DeserializationFeature.USE_BIG_INTEGER_FOR_INTS)
          .build();

  /**
   * Reads a receipt.
   *
   * @throws LightmillException with {@code INPUT_INVALID} if it is no JSON object, or that of a
   *     hosted model
   */
  static StoredReceipt read(String image, String receipt) {
    try {
      JsonNode json = JSON.readTree(receipt);
      if (json.path("reproducible").asBoolean(true) && json.isObject()) {
        return new StoredReceipt(image, json);
      } else if (json.isObject()) {
        throw new LightmillException(
            ErrorCode.INPUT_INVALID,
            "'%s' was drawn by the hosted model '%s', which draws another image each time; give an image of a checkpoint"
                .formatted(image, json.path("endpoint").asText()));
      }
    } catch (JsonProcessingException e) {
      // as any other text
    }
    throw new LightmillException(
        ErrorCode.INPUT_INVALID,
        "the receipt of '%s' is not a JSON object; give an image as Lightmill stored it"
            .formatted(image));
  }

  String modelDigest() {
    return text("model_digest");
  }

  String pipelineClass() {
    return text("pipeline");
  }

  String scheduler() {
    return text("scheduler");
  }

  DType dtype() {
    try {
      return ModelOptions.DTYPE.read(text("dtype"));
    } catch (LightmillException e) {
      throw invalid("dtype");
    }
  }

  FileFormat file() {
    String extension = text("format");
    int quality = json.path("quality").asInt(0);
    return Arrays.stream(ImageFormat.values())
        .filter(format -> format.extension().equals(extension))
        .filter(format -> quality >= 0 && quality <= (format == ImageFormat.PNG ? 0 : 100))
        .map(format -> new FileFormat(format, quality))
        .findFirst()
        .orElseThrow(() -> invalid("format"));
  }

  /** Fingerprint of the watermark's key; null if the image has none. */
  String watermark() {
    return json.path("watermark").textValue();
  }

  /** Digest of the checks; empty if none decided which image is the result. */
  String checks() {
    return json.path("checks").asText("");
  }

  /**
   * The request that the image was identified by, with prompts as the file shows them.
   *
   * @param adapters digests of the given adapters, by name
   * @throws LightmillException with {@code INPUT_INVALID} for values that no request has, and with
   *     {@code CONFIGURATION_INVALID} if an adapter is missing
   */
  ImageRequest request(Map<String, String> adapters, RequestLimits limits) {
    String blend = blend(adapters);
    List<RowError> errors = new ArrayList<>();
    ColumnValues values =
        ColumnValues.read(
            new ColumnValues.Reading() {
              @Override
              public <T> T value(RequestColumn<T> column) {
                return read(column, blend, limits, errors);
              }
            });
    if (!errors.isEmpty()) {
      throw new LightmillException(
          ErrorCode.INPUT_INVALID,
          "the receipt of '%s' cannot be drawn: %s".formatted(image, errors.get(0).message()));
    }
    if (values.of(RequestColumns.PROMPT) == null) {
      throw invalid(RequestColumns.PROMPT.name());
    }
    return RequestColumns.request(values).toBuilder()
        .prompt2(json.path("prompt_2").textValue())
        .prompt3(json.path("prompt_3").textValue())
        .build();
  }

  private <T> T read(
      RequestColumn<T> column, String blend, RequestLimits limits, List<RowError> errors) {
    JsonNode value = json.path(column.name());
    boolean optional =
        column == RequestColumns.NEGATIVE_PROMPT || column == RequestColumns.SAMPLING_EFFICIENCY;
    if (column == RequestColumns.LORA) {
      return column.parse(blend, limits, errors);
    } else if (!column.inRequest()) {
      return null;
    } else if (value.isValueNode() && !value.isNull()) {
      return column.parse(value.asText(), limits, errors);
    } else if (optional) {
      return column.fallback(limits.checkpoint());
    }
    throw invalid(column.name());
  }

  /** The adapters as rows name them. */
  private String blend(Map<String, String> adapters) {
    List<String> parts = new ArrayList<>();
    for (JsonNode adapter : json.path(RequestColumns.LORA.name())) {
      String digest = adapter.path("digest").asText();
      String name =
          adapters.entrySet().stream()
              .filter(entry -> entry.getValue().equals(digest))
              .map(Map.Entry::getKey)
              .findFirst()
              .orElseThrow(
                  () ->
                      new LightmillException(
                          ErrorCode.CONFIGURATION_INVALID,
                          "'%s' was drawn with the adapter of digest %s, which is none of %s; give its file with --lora NAME=FILE"
                              .formatted(image, digest, adapters)));
      parts.add(name + "@" + adapter.path("weight").asText());
    }
    return parts.isEmpty() ? LoraBlend.NONE_NAMED : String.join("+", parts);
  }

  private String text(String member) {
    return Optional.ofNullable(json.path(member).textValue()).orElseThrow(() -> invalid(member));
  }

  private LightmillException invalid(String member) {
    return new LightmillException(
        ErrorCode.INPUT_INVALID,
        "the receipt of '%s' has no valid '%s'; give an image as Lightmill stored it"
            .formatted(image, member));
  }
}
