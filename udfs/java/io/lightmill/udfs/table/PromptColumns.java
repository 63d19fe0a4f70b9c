package io.lightmill.udfs.table;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashSet;
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
 * @param sources the table's column for each of Lightmill's that it has
 * @param template fills the prompt instead of a column; its places name columns of the table
 * @param passthrough the columns that go to the manifest untouched, in the table's order
 */
public record PromptColumns(
    Map<RequestColumn, String> sources,
    Optional<PromptTemplate> template,
    List<String> passthrough) {

  private static final List<String> USUAL_NAMES =
      List.of("prompts", "caption", "captions", "text", "description", "title", "query");

  /**
   * Assigns a table's columns.
   *
   * @param rows the table
   * @param table the user's column map and template
   * @param reserved names of the manifest's own columns, which no other column may have
   * @throws LightmillException with {@code INPUT_INVALID} or {@code CONFIGURATION_INVALID} if the
   *     columns cannot serve
   */
  public static PromptColumns assign(
      Dataset<Row> rows, PromptInput table, List<String> reserved) {
    List<String> names = List.of(rows.columns());
    Optional<PromptTemplate> template =
        table.promptTemplate().map(t -> resolved(PromptTemplate.parse(t), names));
    Map<RequestColumn, String> sources = sources(names, table, template.isPresent());
    if (template.isEmpty() && !sources.containsKey(RequestColumn.PROMPT)) {
      throw noPrompt(table.location(), names);
    }
    return new PromptColumns(
        sources, template, passthrough(names, sources.values(), template, reserved));
  }

  private static PromptTemplate resolved(PromptTemplate template, List<String> names) {
    return new PromptTemplate(
        template.literals(),
        template.columns().stream()
            .map(c -> find(names, c).orElseThrow(() -> unknown("prompt template", c, names)))
            .toList());
  }

  private static Map<RequestColumn, String> sources(
      List<String> names, PromptInput table, boolean templated) {
    Map<RequestColumn, String> sources = new EnumMap<>(RequestColumn.class);
    for (RequestColumn column : RequestColumn.values()) {
      find(names, column.columnName()).ifPresent(name -> sources.put(column, name));
    }
    table
        .columns()
        .forEach(
            (ours, theirs) ->
                sources.put(
                    requestColumn(ours),
                    find(names, theirs)
                        .orElseThrow(() -> unknown("column map " + ours + "=", theirs, names))));
    if (templated) {
      sources.remove(RequestColumn.PROMPT);
      if (table.columns().containsKey(RequestColumn.PROMPT.columnName())) {
        throw new LightmillException(
            ErrorCode.CONFIGURATION_INVALID,
            "the prompt comes from a template and from the column map; give one of the two");
      }
    }
    return sources;
  }

  private static RequestColumn requestColumn(String name) {
    return RequestColumn.named(name)
        .orElseThrow(
            () ->
                new LightmillException(
                    ErrorCode.CONFIGURATION_INVALID,
                    "column map '%s=…': Lightmill reads no column '%s', only %s"
                        .formatted(name, name, RequestColumn.listed())));
  }

  private static List<String> passthrough(
      List<String> names,
      Iterable<String> consumed,
      Optional<PromptTemplate> template,
      List<String> reserved) {
    Set<String> taken = new HashSet<>(Set.of(PromptTable.CORRUPT));
    consumed.forEach(taken::add);
    // A prompt column that the template wraps is spent in the prompt that it gives.
    find(template.map(PromptTemplate::columns).orElse(List.of()), "prompt").ifPresent(taken::add);
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
        "prompt table '%s' has no column 'prompt'; its columns are %s. Name the one that holds the prompts (--column prompt=%s) or write a prompt template (--prompt-template)"
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
        .orElseGet(() -> closest(names, "prompt"));
  }

  private static String closest(List<String> names, String wanted) {
    JaroWinklerSimilarity similarity = new JaroWinklerSimilarity();
    return names.stream()
        .filter(n -> !n.equals(PromptTable.CORRUPT))
        .max(
            Comparator.comparingDouble(
                n -> similarity.apply(n.toLowerCase(Locale.ROOT), wanted.toLowerCase(Locale.ROOT))))
        .orElse("…");
  }

  private static String listed(List<String> names) {
    return String.join(", ", names.stream().filter(n -> !n.equals(PromptTable.CORRUPT)).toList());
  }
}
