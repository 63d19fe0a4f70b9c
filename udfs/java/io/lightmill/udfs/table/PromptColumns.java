package io.lightmill.udfs.table;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.column.ColumnTemplate;
import io.lightmill.udfs.column.RequestColumn;
import io.lightmill.udfs.column.RequestColumns;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.commons.text.similarity.JaroWinklerSimilarity;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * Which column of a table means what. Names are compared without case, as Spark does.
 *
 * @param sources the table's column for each request column that it has
 * @param template makes the prompt instead of a column; its placeholders name columns of the table
 * @param passthrough the columns that are copied to the manifest, in the table's order
 */
public record PromptColumns(
    Map<RequestColumn<?>, String> sources,
    Optional<ColumnTemplate> template,
    List<String> passthrough) {

  /** The kind of the template, for messages. */
  public static final String TEMPLATE = "prompt template";

  private static final List<String> USUAL_NAMES =
      List.of("prompts", "caption", "captions", "text", "description", "title", "query");

  /**
   * Assigns a table's columns.
   *
   * @param rows the table
   * @param input its column map and template
   * @param reserved names of the manifest's own columns, which no other column may have
   * @throws LightmillException with {@code INPUT_INVALID} or {@code CONFIGURATION_INVALID} if the
   *     table has no prompt, or the column map or the template does not fit it
   */
  public static PromptColumns assign(Dataset<Row> rows, PromptInput input, List<String> reserved) {
    List<String> names = List.of(rows.columns());
    Optional<ColumnTemplate> template =
        input.promptTemplate().map(t -> resolved(ColumnTemplate.parse(TEMPLATE, t), names));
    Map<RequestColumn<?>, String> sources = sources(names, input, template.isPresent());
    if (template.isEmpty() && !sources.containsKey(RequestColumns.PROMPT)) {
      throw noPrompt(input.location(), names);
    }
    return new PromptColumns(
        sources, template, passthrough(names, sources.values(), template, reserved));
  }

  private static ColumnTemplate resolved(ColumnTemplate template, List<String> names) {
    return template.renamed(c -> find(names, c).orElseThrow(() -> unknown(TEMPLATE, c, names)));
  }

  private static Map<RequestColumn<?>, String> sources(
      List<String> names, PromptInput input, boolean templated) {
    Map<RequestColumn<?>, String> sources = new LinkedHashMap<>();
    for (RequestColumn<?> column : RequestColumns.ALL) {
      find(names, column.name()).ifPresent(name -> sources.put(column, name));
    }
    input
        .columns()
        .forEach(
            (ours, theirs) ->
                sources.put(
                    requestColumn(ours),
                    find(names, theirs)
                        .orElseThrow(() -> unknown("column map " + ours + "=", theirs, names))));
    if (templated) {
      sources.remove(RequestColumns.PROMPT);
      if (input.columns().containsKey(RequestColumns.PROMPT.name())) {
        throw new LightmillException(
            ErrorCode.CONFIGURATION_INVALID,
            "the prompt is given by a template and by the column map; give one of the two");
      }
    }
    return sources;
  }

  private static RequestColumn<?> requestColumn(String name) {
    return RequestColumns.named(name)
        .orElseThrow(
            () ->
                new LightmillException(
                    ErrorCode.CONFIGURATION_INVALID,
                    "column map '%s=…': Lightmill reads no column '%s', only %s"
                        .formatted(name, name, RequestColumns.listed())));
  }

  private static List<String> passthrough(
      List<String> names,
      Iterable<String> consumed,
      Optional<ColumnTemplate> template,
      List<String> reserved) {
    Set<String> taken = new HashSet<>(Set.of(PromptTable.CORRUPT));
    consumed.forEach(taken::add);
    // A prompt column in the template becomes a part of the prompt, under the same name.
    find(template.map(ColumnTemplate::columns).orElse(List.of()), RequestColumns.PROMPT.name())
        .ifPresent(taken::add);
    List<String> passthrough = new ArrayList<>(names);
    passthrough.removeIf(taken::contains);
    for (String name : passthrough) {
      if (find(reserved, name).isPresent()) {
        throw new LightmillException(
            ErrorCode.INPUT_INVALID,
            "column '%s' of the prompt table clashes with the manifest's own column '%s'; rename it in the table, for instance to 'input_%s'"
                .formatted(name, find(reserved, name).get(), name));
      }
    }
    return List.copyOf(passthrough);
  }

  private static Optional<String> find(List<String> names, String name) {
    return names.stream().filter(n -> n.equalsIgnoreCase(name.strip())).findFirst();
  }

  private static LightmillException noPrompt(String table, List<String> names) {
    return new LightmillException(
        ErrorCode.INPUT_INVALID,
        "prompt table '%s' has no column 'prompt'; its columns are %s. Name the one that holds the prompts (--column prompt=%s) or give a prompt template (--prompt-template)"
            .formatted(table, listed(names), likelyPrompt(names)));
  }

  private static LightmillException unknown(String where, String column, List<String> names) {
    return new LightmillException(
        ErrorCode.INPUT_INVALID,
        "%s names the column '%s', which the prompt table does not have; its columns are %s. Did you mean '%s'?"
            .formatted(where.strip(), column, listed(names), closest(names, column)));
  }

  private static String likelyPrompt(List<String> names) {
    return USUAL_NAMES.stream()
        .flatMap(usual -> find(names, usual).stream())
        .findFirst()
        .orElseGet(() -> closest(names, RequestColumns.PROMPT.name()));
  }

  private static String closest(List<String> names, String name) {
    JaroWinklerSimilarity similarity = new JaroWinklerSimilarity();
    return names.stream()
        .filter(n -> !n.equals(PromptTable.CORRUPT))
        .max(
            Comparator.comparingDouble(
                n -> similarity.apply(n.toLowerCase(Locale.ROOT), name.toLowerCase(Locale.ROOT))))
        .orElse("…");
  }

  private static String listed(List<String> names) {
    return String.join(", ", names.stream().filter(n -> !n.equals(PromptTable.CORRUPT)).toList());
  }
}
