package io.lightmill.udfs.table;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/**
 * A prompt with places for the values of columns: <code>a {color} {name} on {background}</code>.
 * Doubled braces stand for braces.
 *
 * @param literals the text around the places, one more than there are places
 * @param columns the column of each place, in order
 */
public record PromptTemplate(List<String> literals, List<String> columns) implements Serializable {

  /**
   * @throws LightmillException with {@code CONFIGURATION_INVALID} if the braces do not pair up
   */
  static PromptTemplate parse(String template) {
    List<String> literals = new ArrayList<>();
    List<String> columns = new ArrayList<>();
    StringBuilder literal = new StringBuilder();
    for (int at = 0; at < template.length(); at++) {
      char c = template.charAt(at);
      if ((c == '{' || c == '}') && at + 1 < template.length() && template.charAt(at + 1) == c) {
        literal.append(c);
        at++;
      } else if (c == '{') {
        int end = template.indexOf('}', at);
        String column = end < 0 ? "" : template.substring(at + 1, end).strip();
        if (column.isEmpty() || column.contains("{")) {
          throw unpaired(template, c, at);
        }
        literals.add(literal.toString());
        columns.add(column);
        literal.setLength(0);
        at = end;
      } else if (c == '}') {
        throw unpaired(template, c, at);
      } else {
        literal.append(c);
      }
    }
    literals.add(literal.toString());
    return new PromptTemplate(List.copyOf(literals), List.copyOf(columns));
  }

  /** The prompt for one row. */
  String fill(List<String> values) {
    StringBuilder prompt = new StringBuilder(literals.get(0));
    for (int i = 0; i < columns.size(); i++) {
      prompt.append(values.get(i)).append(literals.get(i + 1));
    }
    return prompt.toString();
  }

  private static LightmillException unpaired(String template, char brace, int at) {
    return new LightmillException(
        ErrorCode.CONFIGURATION_INVALID,
        "prompt template '%s': the '%c' at character %d does not enclose a column's name; write {column}, or %c%c for the brace itself"
            .formatted(template, brace, at + 1, brace, brace));
  }
}
