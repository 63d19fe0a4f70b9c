package io.lightmill.udfs.table;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.column.ColumnTemplate;
import io.lightmill.udfs.column.RequestColumn;
import io.lightmill.udfs.column.RequestColumns;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.commons.text.similarity.JaroWinklerSimilarity;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.CalendarIntervalType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.NullType;
import org.apache.spark.sql.types.StructType;

/** Finds out what the columns of a table mean, and what to say about those that mean nothing. */
final class ColumnAssignment {

  private static final List<String> USUAL_NAMES =
      List.of("prompts", "caption", "captions", "text", "description", "title", "query");

  private final PromptTable table;
  private final PromptInput input;
  private final List<String> names;
  private final List<String> notices;
  private final PromptColumns columns;

  /**
   * Assigns the columns.
   *
   * @param reserved names of the manifest's own columns, which no other column may have
   * @throws LightmillException with {@code INPUT_INVALID} or {@code CONFIGURATION_INVALID} if the
   *     table has no prompt, or the column map or the template does not fit it
   */
  ColumnAssignment(PromptTable table, PromptInput input, List<String> reserved) {
    this.table = table;
    this.input = input;
    names =
        Arrays.stream(table.rows().columns())
            .filter(name -> !name.equals(PromptTable.CORRUPT))
            .toList();
    notices = new ArrayList<>(table.notices());
    Optional<ColumnTemplate> template =
        input.promptTemplate().map(t -> resolved(ColumnTemplate.parse(PromptColumns.TEMPLATE, t)));
    Map<RequestColumn<?>, String> sources = sources(template.isPresent());
    refuseUnread();
    if (template.isEmpty() && !sources.containsKey(RequestColumns.PROMPT)) {
      throw noPrompt();
    }
    refuseAmbiguousGuidance(sources);
    Optional<String> size = size(sources);
    List<String> passthrough = passthrough(sources, template, reserved);
    Set<String> read = new HashSet<>(sources.values());
    read.addAll(template.map(ColumnTemplate::columns).orElse(List.of()));
    for (String name : passthrough) {
      if (!read.contains(name)) {
        ColumnNames.notice(name, sources.keySet()).ifPresent(notices::add);
      }
    }
    columns = new PromptColumns(sources, size, template, passthrough);
  }

  PromptColumns columns() {
    return columns;
  }

  List<String> notices() {
    return List.copyOf(notices);
  }

  private ColumnTemplate resolved(ColumnTemplate template) {
    return template.renamed(
        c -> find(names, c).orElseThrow(() -> unknown(PromptColumns.TEMPLATE, c)));
  }

  private Map<RequestColumn<?>, String> sources(boolean templated) {
    Map<RequestColumn<?>, String> mapped = new LinkedHashMap<>();
    input
        .columns()
        .forEach(
            (ours, theirs) ->
                mapped.put(
                    requestColumn(ours),
                    find(names, theirs)
                        .orElseThrow(() -> unknown("column map " + ours + "=", theirs))));
    Map<RequestColumn<?>, String> sources = new LinkedHashMap<>();
    for (RequestColumn<?> column : RequestColumns.ALL) {
      Optional.ofNullable(mapped.get(column))
          .or(() -> find(names, column.name()))
          .or(() -> byOtherName(column, mapped.values()))
          .ifPresent(name -> sources.put(column, name));
    }
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

  /** The column that has one of the names that other tools use, or other separators. */
  private Optional<String> byOtherName(RequestColumn<?> column, Iterable<String> mapped) {
    Set<String> known = ColumnNames.of(column);
    List<String> found = new ArrayList<>(names);
    mapped.forEach(found::remove);
    found.removeIf(name -> !known.contains(ColumnNames.folded(name)));
    if (found.size() > 1) {
      throw new LightmillException(
          ErrorCode.INPUT_INVALID,
          "the columns %s of prompt table '%s' all mean %s; say which one to read with --column %3$s=%s"
              .formatted(String.join(", ", found), input.location(), column, found.get(0)));
    }
    found.forEach(name -> notices.add("column '%s' is read as %s".formatted(name, column)));
    return found.stream().findFirst();
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

  /** A column that Spark cannot read must not be one that asks for something. */
  private void refuseUnread() {
    Set<String> requested = ColumnNames.requested(input);
    for (PromptTable.UnreadColumn column : table.unread()) {
      if (requested.contains(ColumnNames.folded(column.name()))) {
        throw unreadable(column);
      }
      notices.add(
          "column '%s' is not read, and not in the manifest: %s"
              .formatted(column.name(), column.reason()));
    }
  }

  private LightmillException unreadable(PromptTable.UnreadColumn column) {
    return new LightmillException(
        ErrorCode.INPUT_INVALID,
        "column '%s' of prompt table '%s' cannot be read: %s; store it as text or as a number"
            .formatted(column.name(), input.location(), column.reason()));
  }

  private void refuseAmbiguousGuidance(Map<RequestColumn<?>, String> sources) {
    for (String name : names) {
      if (!ColumnNames.AMBIGUOUS_GUIDANCE.contains(ColumnNames.folded(name))
          || sources.containsValue(name)) {
        continue;
      }
      if (sources.containsKey(RequestColumns.GUIDANCE_SCALE)
          || sources.containsKey(RequestColumns.TRUE_CFG_SCALE)) {
        notices.add(
            "column '%s' is copied to the manifest and has no effect, since another column gives the guidance"
                .formatted(name));
      } else {
        throw new LightmillException(
            ErrorCode.INPUT_INVALID,
            "column '%s' of prompt table '%s' is the scale of classifier-free guidance, which is guidance_scale with Stable Diffusion 3, FLUX.2 and Z-Image, and true_cfg_scale with FLUX.1 and Qwen-Image; say which with --column guidance_scale=%s or --column true_cfg_scale=%1$s"
                .formatted(name, input.location(), name));
      }
    }
  }

  private Optional<String> size(Map<RequestColumn<?>, String> sources) {
    Optional<String> size =
        find(names, ColumnNames.SIZE).filter(name -> !sources.containsValue(name));
    boolean sides =
        sources.containsKey(RequestColumns.WIDTH) || sources.containsKey(RequestColumns.HEIGHT);
    size.ifPresent(
        name ->
            notices.add(
                sides
                    ? "column '%s' is copied to the manifest and has no effect, since the table has a column of width or height"
                        .formatted(name)
                    : "column '%s' is read as width and height in rows where it has the form 512x768"
                        .formatted(name)));
    return sides ? Optional.empty() : size;
  }

  private List<String> passthrough(
      Map<RequestColumn<?>, String> sources,
      Optional<ColumnTemplate> template,
      List<String> reserved) {
    Set<String> taken = new HashSet<>();
    sources.forEach(
        (column, name) -> {
          if (name.equalsIgnoreCase(column.name()) || find(reserved, name).isPresent()) {
            taken.add(name);
          }
        });
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
    for (String name : List.copyOf(passthrough)) {
      DataType type = table.rows().schema().apply(name).dataType();
      if (!isStorable(type)) {
        passthrough.remove(name);
        notices.add(
            "column '%s' is not in the manifest: Parquet has no type for %s"
                .formatted(name, type.simpleString()));
      }
    }
    return List.copyOf(passthrough);
  }

  /** Whether a manifest can have a column of this type. */
  private static boolean isStorable(DataType type) {
    if (type instanceof StructType struct) {
      return !struct.isEmpty()
          && Arrays.stream(struct.fields()).allMatch(field -> isStorable(field.dataType()));
    }
    if (type instanceof ArrayType array) {
      return isStorable(array.elementType());
    }
    if (type instanceof MapType map) {
      return isStorable(map.keyType()) && isStorable(map.valueType());
    }
    return !(type instanceof NullType) && !(type instanceof CalendarIntervalType);
  }

  private static Optional<String> find(List<String> names, String name) {
    return names.stream().filter(n -> n.equalsIgnoreCase(name.strip())).findFirst();
  }

  private LightmillException noPrompt() {
    return new LightmillException(
        ErrorCode.INPUT_INVALID,
        "prompt table '%s' has no column 'prompt'; its columns are %s. Name the one that holds the prompts (--column prompt=%s) or give a prompt template (--prompt-template)"
            .formatted(input.location(), String.join(", ", names), likelyPrompt()));
  }

  private LightmillException unknown(String where, String column) {
    return table.unread().stream()
        .filter(unread -> unread.name().equalsIgnoreCase(column.strip()))
        .findFirst()
        .map(this::unreadable)
        .orElseGet(
            () ->
                new LightmillException(
                    ErrorCode.INPUT_INVALID,
                    "%s names the column '%s', which the prompt table does not have; its columns are %s. Did you mean '%s'?"
                        .formatted(
                            where.strip(), column, String.join(", ", names), closest(column))));
  }

  private String likelyPrompt() {
    return USUAL_NAMES.stream()
        .flatMap(usual -> find(names, usual).stream())
        .findFirst()
        .orElseGet(() -> closest(RequestColumns.PROMPT.name()));
  }

  private String closest(String name) {
    JaroWinklerSimilarity similarity = new JaroWinklerSimilarity();
    return names.stream()
        .max(
            Comparator.comparingDouble(
                n -> similarity.apply(n.toLowerCase(Locale.ROOT), name.toLowerCase(Locale.ROOT))))
        .orElse("…");
  }
}
