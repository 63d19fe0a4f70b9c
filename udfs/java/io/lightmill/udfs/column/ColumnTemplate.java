package io.lightmill.udfs.column;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Text with placeholders for the values of columns, such as <code>a {color} {name}</code>. <code>
 * {name:2}</code> stands for the first two characters of a value. Doubled braces stand for braces.
 *
 * @param literals the text around the placeholders, one more than there are placeholders
 * @param placeholders in order
 */
public record ColumnTemplate(List<String> literals, List<Placeholder> placeholders)
    implements Serializable {

  private static final Pattern PLACEHOLDER = Pattern.compile("([^{}]+?)(?::([1-9]\\d{0,8}))?");

  /**
   * The place of one value.
   *
   * @param column whose value it is
   * @param characters most characters (Unicode code points) of the value
   */
  public record Placeholder(String column, int characters) implements Serializable {

    private String filled(String value) {
      int end = Math.min(characters, value.codePointCount(0, value.length()));
      return value.substring(0, value.offsetByCodePoints(0, end));
    }
  }

  /**
   * @param kind of the template, for messages, such as {@code prompt template}
   * @throws LightmillException with {@code CONFIGURATION_INVALID} if the braces do not pair up
   */
  public static ColumnTemplate parse(String kind, String template) {
    List<String> literals = new ArrayList<>();
    List<Placeholder> placeholders = new ArrayList<>();
    StringBuilder literal = new StringBuilder();
    for (int at = 0; at < template.length(); at++) {
      char c = template.charAt(at);
      if (c != '{' && c != '}') {
        literal.append(c);
      } else if (at + 1 < template.length() && template.charAt(at + 1) == c) {
        literal.append(c);
        at++;
      } else {
        int end = c == '{' ? template.indexOf('}', at) : -1;
        Matcher inside =
            PLACEHOLDER.matcher(end < 0 ? "" : template.substring(at + 1, end).strip());
        if (!inside.matches()) {
          throw unpaired(kind, template, c, at);
        }
        literals.add(literal.toString());
        literal.setLength(0);
        String characters = inside.group(2);
        placeholders.add(
            new Placeholder(
                inside.group(1),
                characters == null ? Integer.MAX_VALUE : Integer.parseInt(characters)));
        at = end;
      }
    }
    literals.add(literal.toString());
    return new ColumnTemplate(List.copyOf(literals), List.copyOf(placeholders));
  }

  /** The columns of the placeholders, in order. */
  public List<String> columns() {
    return placeholders.stream().map(Placeholder::column).toList();
  }

  /** The same template with other names for its columns. */
  public ColumnTemplate renamed(UnaryOperator<String> names) {
    return new ColumnTemplate(
        literals,
        placeholders.stream()
            .map(each -> new Placeholder(names.apply(each.column()), each.characters()))
            .toList());
  }

  /** The text with one value for each placeholder, in order. */
  public String fill(List<String> values) {
    StringBuilder text = new StringBuilder(literals.get(0));
    for (int i = 0; i < placeholders.size(); i++) {
      text.append(placeholders.get(i).filled(values.get(i))).append(literals.get(i + 1));
    }
    return text.toString();
  }

  private static LightmillException unpaired(String kind, String template, char brace, int at) {
    return new LightmillException(
        ErrorCode.CONFIGURATION_INVALID,
        "%s '%s' has a '%c' at character %d that does not enclose the name of a column; write {column}, or %c%c for the brace itself"
            .formatted(kind, template, brace, at + 1, brace, brace));
  }
}
