package io.lightmill.udfs.table;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.TreeNode;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lightmill.pipeline.InvisibleCharacters;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.commons.lang3.StringUtils;
import org.apache.commons.lang3.Strings;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;

/**
 * The objects of JSON files as texts: lines of objects, or documents (an array of objects, or
 * objects that are spread over several lines). A row is the text, the error instead of it, and the
 * values of the file's directories.
 *
 * @param requested {@linkplain ColumnNames#folded folded} names of columns whose fractional numbers
 *     become text, since Spark would round them
 * @param batch whether each line is a {@link BatchRequest}
 */
record JsonTexts(Set<String> requested, boolean batch) implements FileRows.Source {

  private static final JsonFactory LINES =
      JsonFactory.builder()
          .enable(JsonReadFeature.ALLOW_SINGLE_QUOTES) // as Spark
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS) // Python writes NaN
          .build();

  /** Keeps numbers as they are written. */
  private static final JsonMapper DOCUMENTS =
      JsonMapper.builder(LINES)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
          .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
          .build();

  private static final int START = 1 << 15;
  private static final int MAX_REASON = 200;

  /** A text, or the error instead of it. */
  private record Found(String text, String error) implements Serializable {

    private InternalRow row(TableFile file) {
      Object[] values = new Object[2 + file.partition().size()];
      values[0] = FileRows.text(text);
      values[1] = FileRows.text(error);
      for (int i = 0; i < file.partition().size(); i++) {
        values[2 + i] = FileRows.text(file.partition().get(i));
      }
      return new GenericInternalRow(values);
    }
  }

  @Override
  public FileRows.Open open(TableFile file, Configuration hadoop) throws IOException {
    DecodedText text = new DecodedText(file.bytes(hadoop), file.start() == 0);
    try {
      BufferedReader reader = new BufferedReader(text, START);
      return file.whole() && isDocument(start(reader))
          ? new Document(file, text, DOCUMENTS.createParser(reader), requested)
          : new Lines(file, hadoop, text, reader, this);
    } catch (IOException | RuntimeException e) {
      text.close();
      throw e;
    }
  }

  /** Whether a file is read as a whole, since its lines are no objects. */
  static boolean isWhole(TableFile file, Configuration hadoop) throws IOException {
    try (DecodedText text = new DecodedText(file.bytes(hadoop), true)) {
      return !text.divisible() || isDocument(start(new BufferedReader(text, START)));
    }
  }

  private static String start(BufferedReader reader) throws IOException {
    reader.mark(START);
    char[] start = new char[START];
    int read = 0;
    for (int n = 0; n >= 0 && read < START; n = reader.read(start, read, START - read)) {
      read += n;
    }
    reader.reset();
    return new String(start, 0, read).stripLeading();
  }

  /** An array, or an object that does not end in its first line. */
  private static boolean isDocument(String start) {
    String line = StringUtils.stripEnd(start.lines().findFirst().orElse(""), null);
    return line.startsWith("[")
        || (line.startsWith("{") && Strings.CS.endsWithAny(line, "{", "[", ","));
  }

  /** Whether the first line of a file is a {@link BatchRequest}. */
  static boolean isBatch(TableFile file, Configuration hadoop) throws IOException {
    try (DecodedText text = new DecodedText(file.bytes(hadoop), true)) {
      return start(new BufferedReader(text, START))
          .lines()
          .findFirst()
          .filter(BatchRequest::isRequest)
          .isPresent();
    }
  }

  private static String reason(JsonProcessingException e) {
    return StringUtils.abbreviate(
        e.getOriginalMessage().lines().findFirst().orElse(""), MAX_REASON);
  }

  /** Fractional numbers of requested columns as texts. */
  private static ObjectNode withTexts(ObjectNode object, Set<String> requested) {
    for (Map.Entry<String, JsonNode> value : object.properties()) {
      if (value.getValue().isFloatingPointNumber()
          && requested.contains(ColumnNames.folded(value.getKey()))) {
        String number = value.getValue().asText();
        value.setValue(number.equals("NaN") ? object.nullNode() : object.textNode(number));
      }
    }
    return object;
  }

  /** A file of lines. Several objects in one line are several rows. */
  private static final class Lines implements FileRows.Open {

    private final TableFile file;
    private final Configuration hadoop;
    private final DecodedText text;
    private final BufferedReader reader;
    private final Deque<Found> found = new ArrayDeque<>();
    private final Set<String> names = new HashSet<>();
    private final JsonTexts texts;
    private final Map<String, Boolean> isRequested = new HashMap<>();
    private long line;
    private long linesBefore = -1;

    private Lines(
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
        found.add(new Found(null, bad.get().sentence(file.name(), linesBefore())));
        return;
      }
      int before = found.size();
      try (JsonParser parser = LINES.createParser(next)) {
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
        addError("is not a JSON object: " + reason(e) + "; write one object a line");
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
        found.add(new Found(object, null));
        return;
      }
      BatchRequest request = BatchRequest.of((ObjectNode) DOCUMENTS.readTree(object));
      if (request.error().isPresent()) {
        addError(request.error().get());
        found.add(new Found(request.row().toString(), found.removeLast().error()));
      } else {
        found.add(new Found(withTexts(request.row(), texts.requested()).toString(), null));
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
          new Found(null, "line %d of '%s' %s".formatted(linesBefore() + line, file.name(), what)));
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

  /** A file of objects over several lines, in an array or one after the other. */
  private record Document(
      TableFile file, DecodedText text, JsonParser parser, Set<String> requested)
      implements FileRows.Open {

    @Override
    public InternalRow next() throws IOException {
      try {
        JsonToken token = parser.nextToken();
        while (token == JsonToken.START_ARRAY || token == JsonToken.END_ARRAY) {
          token = parser.nextToken();
        }
        return token == null ? null : object().row(file);
      } catch (JsonProcessingException e) {
        throw TableFile.invalid(
            "'%s' is not valid JSON at line %d, column %d: %s; correct it, or write one object a line"
                .formatted(
                    file.name(),
                    e.getLocation().getLineNr(),
                    e.getLocation().getColumnNr(),
                    reason(e)),
            e);
      }
    }

    private Found object() throws IOException {
      int first = parser.currentTokenLocation().getLineNr();
      boolean object = parser.currentToken() == JsonToken.START_OBJECT;
      TreeNode json = parser.readValueAsTree();
      Optional<DecodedText.BadBytes> bad =
          text.badBytes(first, parser.currentLocation().getLineNr());
      if (bad.isPresent()) {
        return new Found(null, bad.get().sentence(file.name(), 0));
      }
      return object
          ? new Found(withTexts((ObjectNode) json, requested).toString(), null)
          : new Found(
              null,
              "line %d of '%s' has a value that is not a JSON object; write an array of objects"
                  .formatted(first, file.name()));
    }

    @Override
    public void close() throws IOException {
      parser.close();
      text.close();
    }
  }
}
