package io.lightmill.udfs.table;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.Serializable;
import java.util.Map;
import java.util.Set;
import org.apache.commons.lang3.StringUtils;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;

/**
 * A JSON object of a table's file as text, or the error instead of it; and how such objects are
 * read.
 */
record JsonText(String text, String error) implements Serializable {

  /** Reads lines as Spark does. */
  static final JsonFactory LINES =
      JsonFactory.builder()
          .enable(JsonReadFeature.ALLOW_SINGLE_QUOTES) // as Spark
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS) // Python writes NaN
          .build();

  /** Keeps numbers as they are written. */
  static final JsonMapper DOCUMENTS =
      JsonMapper.builder(LINES)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
          .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
          .build();

  private static final int MAX_REASON = 200;

  /** The row of this text: text, error, and the values of the file's directories. */
  InternalRow row(TableFile file) {
    Object[] values = new Object[2 + file.partition().size()];
    values[0] = FileRows.text(text);
    values[1] = FileRows.text(error);
    for (int i = 0; i < file.partition().size(); i++) {
      values[2 + i] = FileRows.text(file.partition().get(i));
    }
    return new GenericInternalRow(values);
  }

  /** What the parser says of an invalid text, in one line. */
  static String reason(JsonProcessingException e) {
    return StringUtils.abbreviate(
        e.getOriginalMessage().lines().findFirst().orElse(""), MAX_REASON);
  }

  /** Fractional numbers of requested columns as texts. */
  static ObjectNode withTexts(ObjectNode object, Set<String> requested) {
    for (Map.Entry<String, JsonNode> value : object.properties()) {
      if (value.getValue().isFloatingPointNumber()
          && requested.contains(ColumnNames.folded(value.getKey()))) {
        String number = value.getValue().asText();
        value.setValue(number.equals("NaN") ? object.nullNode() : object.textNode(number));
      }
    }
    return object;
  }
}
