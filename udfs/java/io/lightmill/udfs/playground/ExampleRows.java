package io.lightmill.udfs.playground;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.table.TextRow;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/**
 * The first rows of a prompt table, as cells by column. A column that is a request column in tables
 * has its name here; cells without a value are left out.
 */
final class ExampleRows {

  static final int MOST = 50;

  private static final int MOST_LINE = 1 << 20;

  private static final ObjectMapper JSON = new ObjectMapper();

  private static final CSVFormat CSV =
      CSVFormat.RFC4180
          .builder()
          .setHeader()
          .setSkipHeaderRecord(true)
          .setAllowMissingColumnNames(true)
          .get();

  private ExampleRows() {}

  /**
   * Reads the first rows of a file on this machine.
   *
   * @throws LightmillException with {@code INPUT_INVALID} if the file is no CSV and no JSON lines
   */
  static List<Map<String, String>> of(String location) {
    Path file = Path.of(location);
    String name = location.toLowerCase(Locale.ROOT);
    boolean json = name.endsWith(".jsonl") || name.endsWith(".json") || name.endsWith(".ndjson");
    if (!json && !name.endsWith(".csv")) {
      throw invalid(
          "'%s' is neither .csv nor .jsonl; the playground takes example rows from these, or paste a row on its page"
              .formatted(location),
          null);
    }
    try (BufferedReader in = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
      return json ? jsonLines(in, location) : csv(in, location);
    } catch (IOException e) {
      throw invalid("'%s' cannot be read: %s".formatted(location, e), e);
    }
  }

  /**
   * Reads a row that was pasted: a CSV header and a line, or a JSON object.
   *
   * @throws LightmillException with {@code INPUT_INVALID} if the text is neither
   */
  static Map<String, String> pasted(String text) {
    try {
      List<Map<String, String>> rows =
          text.strip().startsWith("{")
              ? jsonLines(new BufferedReader(new StringReader(text.strip())), "the pasted row")
              : csv(new StringReader(text.strip()), "the pasted row");
      if (rows.isEmpty()) {
        throw invalid(
            "the pasted text has no row; paste a CSV header and a line below it, or a JSON object",
            null);
      }
      return rows.get(0);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // from memory
    }
  }

  private static List<Map<String, String>> csv(Reader in, String name) throws IOException {
    List<Map<String, String>> rows = new ArrayList<>();
    try (CSVParser parser = CSVParser.parse(in, CSV)) {
      List<String> header = parser.getHeaderNames();
      for (CSVRecord line : parser) {
        if (rows.size() == MOST) {
          break;
        }
        Map<String, String> cells = new LinkedHashMap<>();
        for (int i = 0; i < Math.min(header.size(), line.size()); i++) {
          put(cells, header.get(i), line.get(i));
        }
        rows.add(cells);
      }
    } catch (IllegalArgumentException | IllegalStateException | UncheckedIOException e) {
      throw invalid("%s is no CSV: %s".formatted(name, e.getMessage()), e);
    }
    return rows;
  }

  private static List<Map<String, String>> jsonLines(BufferedReader in, String name)
      throws IOException {
    List<Map<String, String>> rows = new ArrayList<>();
    for (String line = in.readLine(); line != null && rows.size() < MOST; line = in.readLine()) {
      if (line.isBlank()) {
        continue;
      }
      try {
        JsonNode object = JSON.readTree(line.length() > MOST_LINE ? "" : line);
        if (!object.isObject()) {
          throw invalid("%s is not one JSON object a line".formatted(name), null);
        }
        Map<String, String> cells = new LinkedHashMap<>();
        object
            .properties()
            .forEach(
                each ->
                    put(
                        cells,
                        each.getKey(),
                        each.getValue().isValueNode()
                            ? each.getValue().asText()
                            : each.getValue().toString()));
        rows.add(cells);
      } catch (JsonProcessingException e) {
        throw invalid("%s is no JSON: %s".formatted(name, e.getOriginalMessage()), e);
      }
    }
    return rows;
  }

  private static void put(Map<String, String> cells, String column, String value) {
    if (!value.isBlank() && !column.isBlank()) {
      cells.put(
          TextRow.requestColumn(column).map(known -> known.name()).orElse(column.strip()), value);
    }
  }

  private static LightmillException invalid(String message, Exception cause) {
    return new LightmillException(ErrorCode.INPUT_INVALID, message, cause);
  }
}
