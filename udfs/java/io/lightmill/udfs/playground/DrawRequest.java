package io.lightmill.udfs.playground;

import com.fasterxml.jackson.databind.JsonNode;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a page requests to draw.
 *
 * @param id by which the page may cancel it
 * @param settings cells of table rows, one for each of the settings to compare
 * @param template of the prompt
 */
public record DrawRequest(
    String id, List<Map<String, String>> settings, Optional<String> template) {

  private static final int MOST_SETTINGS = 2;

  /**
   * Reads a request.
   *
   * @throws LightmillException with {@code INPUT_INVALID} if it is malformed
   */
  public static DrawRequest of(JsonNode body) {
    List<Map<String, String>> settings = new ArrayList<>();
    for (JsonNode setting : body.path("settings")) {
      Map<String, String> cells = new LinkedHashMap<>();
      setting
          .properties()
          .forEach(
              cell -> {
                String value = cell.getValue().asText();
                if (!value.isBlank()) {
                  cells.put(cell.getKey(), value);
                }
              });
      settings.add(cells);
    }
    String id = body.path("id").asText();
    if (settings.isEmpty() || settings.size() > MOST_SETTINGS || id.isEmpty()) {
      throw new LightmillException(
          ErrorCode.INPUT_INVALID,
          "the request has %d settings; give one, or two to compare, and an id"
              .formatted(settings.size()));
    }
    return new DrawRequest(
        id, settings, Optional.of(body.path("template").asText()).filter(text -> !text.isBlank()));
  }
}
