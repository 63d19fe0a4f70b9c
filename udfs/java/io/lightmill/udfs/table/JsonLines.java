package io.lightmill.udfs.table;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lightmill.pipeline.InvisibleCharacters;
import java.io.BufferedReader;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.catalyst.InternalRow;

/** A file of lines. Several objects in one line are several rows. */
final class JsonLines implements FileRows.Open {

  private final TableFile file;
  private final Configuration hadoop;
  private final DecodedText text;
  private final BufferedReader reader;
  private final Deque<JsonText> found = new ArrayDeque<>();
  private final Set<String> names = new HashSet<>();
  private final JsonTexts texts;
  private final Map<String, Boolean> isRequested = new HashMap<>();
  private long line;
  private long linesBefore = -1;

  JsonLines(
      TableFile file,
      Configuration hadoop,
      DecodedText text,
      BufferedReader reader,
      JsonTexts texts) {
    this.texts = texts;
    this.file = file;
    this.hadoop = hadoop;
    this.text = text;
    this.reader = reader;
  }

  @Override
  public InternalRow next() throws IOException {
    while (found.isEmpty()) {
      String next = reader.readLine();
      if (next == null) {
        return null;
      }
      line++;
      if (!InvisibleCharacters.isBlank(next)) {
        read(next);
      }
    }
    return found.remove().row(file);
  }

  private void read(String next) throws IOException {
    Optional<DecodedText.BadBytes> bad = text.badBytes(line, line);
    if (bad.isPresent()) {
      found.add(new JsonText(null, bad.get().sentence(file.name(), linesBefore())));
      return;
    }
    int before = found.size();
    try (JsonParser parser = JsonText.LINES.createParser(next)) {
      for (JsonToken root = parser.nextToken(); root != null; root = parser.nextToken()) {
        if (root == JsonToken.START_ARRAY) {
          while (parser.nextToken() != JsonToken.END_ARRAY) {
            addObject(parser, next);
          }
        } else {
          addObject(parser, next);
        }
      }
    } catch (JsonProcessingException e) {
      while (found.size() > before) {
        found.removeLast();
      }
      addError("is not a JSON object: " + JsonText.reason(e) + "; write one object a line");
    }
  }

  private void addObject(JsonParser parser, String next) throws IOException {
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      addError("has a value that is not a JSON object; write one object a line");
      parser.skipChildren();
      return;
    }
    StringBuilder object = null;
    int copied = (int) parser.currentTokenLocation().getCharOffset();
    String twice = null;
    names.clear();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String name = parser.currentName();
      if (!names.add(name)) {
        twice = name;
      }
      if (parser.nextToken() == JsonToken.VALUE_NUMBER_FLOAT && isRequested(name)) {
        int start = (int) parser.currentTokenLocation().getCharOffset();
        object = object == null ? new StringBuilder(next.length()) : object;
        object.append(next, copied, start).append(text(parser.getText()));
        copied = start + parser.getTextLength();
      }
      parser.skipChildren();
    }
    if (twice == null) {
      int end = (int) parser.currentLocation().getCharOffset();
      add(
          object == null
              ? next.substring(copied, end)
              : object.append(next, copied, end).toString());
    } else {
      addError("has two values of '%s'; give it one".formatted(twice));
    }
  }

  private void add(String object) throws IOException {
    if (!texts.batch()) {
      found.add(new JsonText(object, null));
      return;
    }
    BatchRequest request = BatchRequest.of((ObjectNode) JsonText.DOCUMENTS.readTree(object));
    if (request.error().isPresent()) {
      addError(request.error().get());
      found.add(new JsonText(request.row().toString(), found.removeLast().error()));
    } else {
      found.add(
          new JsonText(JsonText.withTexts(request.row(), texts.requested()).toString(), null));
    }
  }

  private boolean isRequested(String name) {
    return isRequested.computeIfAbsent(
        name, each -> texts.requested().contains(ColumnNames.folded(each)));
  }

  /** A number as a JSON text; NaN is how Python writes a missing one. */
  private static String text(String number) {
    return number.equals("NaN") ? "null" : '"' + number + '"';
  }

  private void addError(String what) throws IOException {
    found.add(
        new JsonText(
            null, "line %d of '%s' %s".formatted(linesBefore() + line, file.name(), what)));
  }

  private long linesBefore() throws IOException {
    if (linesBefore < 0) {
      linesBefore = file.linesBefore(hadoop);
    }
    return linesBefore;
  }

  @Override
  public void close() throws IOException {
    text.close();
  }
}
