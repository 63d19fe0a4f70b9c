package io.lightmill.udfs.table;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lightmill.udfs.column.RequestColumns;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A line of OpenAI's batch input as a row of a prompt table: {@code custom_id} is the id, and the
 * fields of {@code body} are columns, of which {@code n} is {@code num_images_per_prompt}, {@code
 * size} gives width and height, and {@code model} is {@code requested_model}, since the checkpoint
 * is an option of the run.
 *
 * @param row the row; with an error at most its id
 * @param error the end of a sentence about the line, if it is no request for images
 */
record BatchRequest(ObjectNode row, Optional<String> error) {

  private static final JsonMapper JSON = new JsonMapper();
  private static final String CUSTOM_ID = "custom_id";
  private static final String BODY = "body";
  private static final String URL = "url";
  private static final String GENERATIONS = "/v1/images/generations";
  private static final Pattern SIZE = Pattern.compile("(\\d{1,5})x(\\d{1,5})");

  /** Names of the fields that are columns under another name. */
  private static final Map<String, String> COLUMNS =
      Map.of("n", RequestColumns.NUM_IMAGES_PER_PROMPT.name(), "model", "requested_model");

  /** Whether a line of JSON is meant as such a request. */
  static boolean isRequest(String line) {
    try {
      JsonNode object = JSON.readTree(line);
      return object != null && object.has(CUSTOM_ID) && object.has(BODY) && object.has(URL);
    } catch (JsonProcessingException e) { // another kind of line
      return false;
    }
  }

  static BatchRequest of(ObjectNode line) {
    ObjectNode row = JSON.createObjectNode();
    JsonNode id = line.path(CUSTOM_ID);
    if (!id.isValueNode() || id.isNull() || id.asText().isBlank()) {
      return new BatchRequest(row, Optional.of("has no custom_id; give each request its own"));
    }
    row.put(RequestColumns.ID.name(), id.asText());
    JsonNode body = line.path(BODY);
    Optional<String> error = error(line, body);
    if (error.isPresent()) {
      return new BatchRequest(row, error);
    }
    for (Map.Entry<String, JsonNode> field : body.properties()) {
      if (!field.getKey().equals("size") && !field.getValue().isNull()) {
        row.set(COLUMNS.getOrDefault(field.getKey(), field.getKey()), field.getValue());
      }
    }
    Matcher size = SIZE.matcher(body.path("size").asText());
    if (size.matches()) {
      row.put(RequestColumns.WIDTH.name(), Integer.parseInt(size.group(1)));
      row.put(RequestColumns.HEIGHT.name(), Integer.parseInt(size.group(2)));
    }
    return new BatchRequest(row, Optional.empty());
  }

  private static Optional<String> error(ObjectNode line, JsonNode body) {
    String method = line.path("method").asText("POST");
    String url = line.path(URL).asText(GENERATIONS);
    JsonNode size = body.path("size");
    if (!method.equals("POST")) {
      return Optional.of("has the method '%s'; write POST".formatted(method));
    }
    if (!url.equals(GENERATIONS)) {
      return Optional.of("has the url '%s'; write %s".formatted(url, GENERATIONS));
    }
    if (!body.isObject()) {
      return Optional.of("has no body; write an object with a prompt");
    }
    if (!size.isMissingNode()
        && !size.isNull()
        && !size.asText().equals("auto")
        && !SIZE.matcher(size.asText()).matches()) {
      return Optional.of("has the size '%s'; write it as 1024x1024".formatted(size.asText()));
    }
    return Optional.empty();
  }
}
