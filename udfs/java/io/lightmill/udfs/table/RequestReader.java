package io.lightmill.udfs.table;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.InvisibleCharacters;
import io.lightmill.pipeline.PromptLength;
import io.lightmill.udfs.column.ColumnTemplate;
import io.lightmill.udfs.column.ColumnValues;
import io.lightmill.udfs.column.RequestColumn;
import io.lightmill.udfs.column.RequestColumns;
import io.lightmill.udfs.column.RowError;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.Row;

/** Reads the request of a table row, with all errors of the row at once. */
public final class RequestReader {

  private final RequestRules rules;
  private final PromptLength length;
  private final ColumnTemplate template;

  /**
   * @param template null if the prompt is a column
   */
  public RequestReader(RequestRules rules, PromptLength length, ColumnTemplate template) {
    this.rules = rules;
    this.length = length;
    this.template = template;
  }

  /**
   * Reads one row.
   *
   * @param row of {@link RequestRows}
   */
  public RowRequest read(Row row) {
    List<RowError> errors = new ArrayList<>();
    String corrupt = row.getAs(RequestRows.CORRUPT);
    if (corrupt != null) {
      errors.add(new RowError(ErrorCode.VALUE_INVALID, corrupt));
      return RowRequest.unread(errors);
    }
    Row texts = row.getAs(RequestRows.REQUESTED);
    LoraTags tags =
        LoraTags.of(
            template == null ? texts.getAs(RequestColumns.PROMPT.name()) : filled(row, errors));
    boolean unfilled = !errors.isEmpty();
    ColumnValues values =
        ColumnValues.read(
            new ColumnValues.Reading() {
              @Override
              public <T> T value(RequestColumn<T> column) {
                if (column == RequestColumns.PROMPT && template != null) {
                  return unfilled ? null : column.parse(tags.prompt(), rules.limits(), errors);
                }
                return column.read(
                    text(column, row, texts, tags),
                    rules.defaults().of(column),
                    rules.limits(),
                    errors);
              }
            });
    rules.checkSize(values, errors);
    boolean truncated = truncated(RequestColumns.PROMPT, values, errors);
    // A negative prompt that guides nothing may have any length.
    if (errors.isEmpty() && rules.guidance().guides(RequestColumns.request(values))) {
      truncated |= truncated(RequestColumns.NEGATIVE_PROMPT, values, errors);
    }
    return new RowRequest(values, variants(values), truncated, errors);
  }

  private String text(RequestColumn<?> column, Row row, Row texts, LoraTags tags) {
    if (column == RequestColumns.ID) {
      return row.getAs(RequestRows.ID);
    }
    if (column == RequestColumns.PROMPT) {
      return tags.prompt();
    }
    String text = texts.getAs(column.name());
    return column == RequestColumns.LORA && !tags.blend().isEmpty()
        ? tags.with(text, rules.defaults().of(RequestColumns.LORA))
        : text;
  }

  private int variants(ColumnValues values) {
    Integer images = values.of(RequestColumns.NUM_IMAGES_PER_PROMPT);
    return RequestColumns.NUM_IMAGES_PER_PROMPT.accepts(images, rules.limits()) ? images : 1;
  }

  /** The prompt that the template makes; null, with errors, if one of its values is missing. */
  private String filled(Row row, List<RowError> errors) {
    List<String> values = row.getList(row.fieldIndex(RequestRows.PLACEHOLDERS));
    List<String> columns = template.columns();
    int before = errors.size();
    for (int i = 0; i < columns.size(); i++) {
      if (values.get(i) == null || InvisibleCharacters.isBlank(values.get(i))) {
        errors.add(
            new RowError(
                ErrorCode.PROMPT_MISSING,
                "%s is empty, and the prompt template needs it; fill it in"
                    .formatted(columns.get(i))));
      }
    }
    return errors.size() == before ? template.fill(values) : null;
  }

  /** Whether a prompt has more tokens than the row's maximum; an error if it may not be cut. */
  private boolean truncated(
      RequestColumn<String> column, ColumnValues values, List<RowError> errors) {
    String prompt = values.of(column);
    Integer sequence = values.of(RequestColumns.MAX_SEQUENCE_LENGTH);
    if (prompt == null || sequence == null) {
      return false;
    }
    int tokens = length.tokens(prompt);
    int most = length.most(sequence);
    if (tokens > most && !rules.truncatePrompts()) {
      errors.add(
          new RowError(
              ErrorCode.PROMPT_TOO_LONG,
              "%s has %d tokens, more than the %d %s; shorten it, %slet the job cut it (--truncate-prompts)"
                  .formatted(
                      column.name(),
                      tokens,
                      most,
                      most < sequence
                          ? "that this checkpoint's text encoder reads"
                          : "of max_sequence_length",
                      most == sequence && sequence < rules.maxPromptLength()
                          ? "raise max_sequence_length (this checkpoint takes up to %d), or "
                              .formatted(rules.maxPromptLength())
                          : "or ")));
    }
    return tokens > most;
  }
}
