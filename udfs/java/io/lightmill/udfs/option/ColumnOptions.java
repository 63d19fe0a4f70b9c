package io.lightmill.udfs.option;

import io.lightmill.udfs.column.ColumnOption;
import io.lightmill.udfs.column.RequestColumn;
import io.lightmill.udfs.column.RequestColumns;
import io.lightmill.udfs.column.RequestLimits;
import io.lightmill.udfs.column.RowError;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The options that give a request column its value in rows that have none: one for each column of
 * the registry that has such an option. Values stay text, which the column reads.
 */
public final class ColumnOptions {

  private static final Map<String, Option<String>> BY_COLUMN = byColumn();

  private ColumnOptions() {}

  /** By the names of the columns, in the order of their registry. */
  public static Map<String, Option<String>> all() {
    return BY_COLUMN;
  }

  private static Map<String, Option<String>> byColumn() {
    Map<String, Option<String>> options = new LinkedHashMap<>();
    RequestColumns.ALL.forEach(
        column ->
            column
                .defaults()
                .ifPresent(entry -> options.put(column.name(), option(column, entry))));
    return Collections.unmodifiableMap(options);
  }

  private static Option<String> option(RequestColumn<?> column, ColumnOption entry) {
    OptionType<String> type =
        OptionType.text(
            text -> acceptable(column, text),
            "a valid value of the column '%s'".formatted(column.name()));
    return Option.of(
        entry.optionKey(), type, entry.optionLabel(), OptionGroup.IMAGES, entry.optionHelp());
  }

  /** Whether some checkpoint accepts the value; which does is known later. */
  private static boolean acceptable(RequestColumn<?> column, String text) {
    List<RowError> errors = new ArrayList<>();
    column.parse(text, RequestLimits.WIDEST, errors);
    return errors.isEmpty();
  }
}
