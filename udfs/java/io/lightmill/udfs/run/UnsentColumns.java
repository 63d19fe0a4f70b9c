package io.lightmill.udfs.run;

import io.lightmill.udfs.column.RequestColumn;
import io.lightmill.udfs.column.RequestColumns;
import io.lightmill.udfs.option.ColumnOptions;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.HostedOptions;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The columns of requests that endpoints of hosted models have no field for. */
final class UnsentColumns {

  /** Columns of requests that endpoints have a field for, and the number of images. */
  private static final Set<RequestColumn<?>> SENT =
      Set.of(
          RequestColumns.ID,
          RequestColumns.PROMPT,
          RequestColumns.WIDTH,
          RequestColumns.HEIGHT,
          RequestColumns.NUM_IMAGES_PER_PROMPT,
          RequestColumns.REVISES);

  private UnsentColumns() {}

  /** Names of columns whose values are not sent. */
  static Set<String> names() {
    return RequestColumns.ALL.stream()
        .filter(column -> !SENT.contains(column))
        .map(RequestColumn::name)
        .collect(Collectors.toSet());
  }

  /**
   * A notice on values that are not sent; empty if there are none.
   *
   * @param columns of the table that Lightmill reads
   */
  static Optional<String> notice(GenerationOptions options, Set<RequestColumn<?>> columns) {
    Set<String> unsent = names();
    Stream<String> ofTable =
        refused(options)
            ? Stream.empty()
            : columns.stream()
                .map(RequestColumn::name)
                .filter(unsent::contains)
                .map(name -> "column '%s'".formatted(name));
    Stream<String> ofJob =
        ColumnOptions.all().entrySet().stream()
            .filter(each -> unsent.contains(each.getKey()) && options.has(each.getValue()))
            .map(each -> "option '%s'".formatted(each.getValue()));
    List<String> named = Stream.concat(ofTable.sorted(), ofJob.sorted()).toList();
    return named.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "the hosted model has no field for %s: these values are not sent, and a seed only tells images apart; --unsent-values=invalid refuses rows that have such values"
                .formatted(String.join(", ", named)));
  }

  /** Whether rows with values that are not sent are invalid. */
  static boolean refused(GenerationOptions options) {
    return options.find(HostedOptions.UNSENT_VALUES).orElse(HostedOptions.UnsentValues.IGNORE)
        == HostedOptions.UnsentValues.INVALID;
  }
}
