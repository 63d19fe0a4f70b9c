package io.lightmill.udfs.table;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.TreeNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.Optional;
import java.util.Set;
import org.apache.spark.sql.catalyst.InternalRow;

/**
 * A file of objects over several lines, in an array or one after the other.
 *
 * @param requested see {@link JsonTexts}
 */
record JsonDocument(TableFile file, DecodedText text, JsonParser parser, Set<String> requested)
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
                  JsonText.reason(e)),
          e);
    }
  }

  private JsonText object() throws IOException {
    int first = parser.currentTokenLocation().getLineNr();
    boolean object = parser.currentToken() == JsonToken.START_OBJECT;
    TreeNode json = parser.readValueAsTree();
    Optional<DecodedText.BadBytes> bad = text.badBytes(first, parser.currentLocation().getLineNr());
    if (bad.isPresent()) {
      return new JsonText(null, bad.get().sentence(file.name(), 0));
    }
    return object
        ? new JsonText(JsonText.withTexts((ObjectNode) json, requested).toString(), null)
        : new JsonText(
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
