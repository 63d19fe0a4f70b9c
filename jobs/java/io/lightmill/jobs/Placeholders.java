package io.lightmill.jobs;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.option.ModelOptions;
import io.lightmill.udfs.option.Option;
import io.lightmill.udfs.option.Options;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.time.temporal.TemporalUnit;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.commons.text.similarity.LevenshteinDistance;

/**
 * Replaces the placeholders of option values: {@code {date}}, {@code {date:yyyy/MM/dd}}, {@code
 * {date-1d:yyyyMMdd}}, and variables such as {@code {region}}.
 *
 * <p>Templates of prompts and paths have placeholders of their own, the columns of the table. There
 * only variables and dates with an offset or a format are replaced, and {@code {date}} is a column.
 */
final class Placeholders {

  private static final Pattern PLACEHOLDER =
      Pattern.compile("\\{([A-Za-z_][A-Za-z0-9_]*)([^{}:,]*)(?::([^{}]*))?}");

  private static final Pattern OFFSETS = Pattern.compile("(?:[+-]\\d{1,6}[yMwdhm])*");
  private static final Pattern OFFSET = Pattern.compile("([+-]\\d{1,6})([yMwdhm])");

  private static final Map<String, TemporalUnit> UNITS =
      Map.of(
          "y", ChronoUnit.YEARS,
          "M", ChronoUnit.MONTHS,
          "w", ChronoUnit.WEEKS,
          "d", ChronoUnit.DAYS,
          "h", ChronoUnit.HOURS,
          "m", ChronoUnit.MINUTES);

  private static final String DATE = "date";
  private static final String DEFAULT_FORMAT = "uuuu-MM-dd";

  private static final Set<Option<?>> TEMPLATES =
      Set.of(Options.PROMPT_TEMPLATE, Options.PATH_TEMPLATE);

  /** Values in which an unknown placeholder is a mistake; others may have braces of their own. */
  private static final Set<Option<?>> STRICT =
      Set.of(Options.INPUT, Options.OUTPUT_DIRECTORY, ModelOptions.CHECKPOINT, Options.RUN_ID);

  private final ZonedDateTime date;
  private final Map<String, String> variables;
  private final Set<String> used = new TreeSet<>();

  /**
   * @param date of the run, in UTC
   * @param variables by name
   */
  Placeholders(ZonedDateTime date, Map<String, String> variables) {
    this.date = date;
    this.variables = new TreeMap<>(variables);
    this.variables.forEach(Placeholders::require);
  }

  private static void require(String name, String value) {
    if (!name.matches("[A-Za-z_][A-Za-z0-9_]*") || name.equals(DATE)) {
      throw invalid(
          "'%s' is no name of a variable; take letters, digits and underscores, and not 'date'"
              .formatted(name));
    }
    if (value.matches("(?s).*[{}].*")) {
      throw invalid("variable '%s' contains a brace; remove it".formatted(name));
    }
  }

  /**
   * Reads the date of a run: a date, or a date and time, whose zone is UTC if it has none.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID}
   */
  static ZonedDateTime date(String text) {
    String iso = text.strip();
    try {
      if (!iso.contains("T")) {
        return LocalDate.parse(iso).atStartOfDay(ZoneOffset.UTC);
      }
      return iso.matches(".*(Z|[+-]\\d\\d:?\\d\\d)")
          ? OffsetDateTime.parse(iso).atZoneSameInstant(ZoneOffset.UTC)
          : LocalDateTime.parse(iso).atZone(ZoneOffset.UTC);
    } catch (DateTimeException e) {
      throw invalid(
          "--date is '%s', but must be a date such as 2026-11-26, or a date and time such as 2026-11-26T05:00Z"
              .formatted(text));
    }
  }

  static ZonedDateTime date(Instant now) {
    return now.atZone(ZoneOffset.UTC);
  }

  /** Names of the variables that values had so far. */
  Set<String> used() {
    return used;
  }

  /**
   * A value with its placeholders replaced.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID} and the option for placeholders
   *     that cannot be replaced
   */
  String replaced(Option<?> option, String text) {
    if (text.indexOf('{') < 0) {
      return text;
    }
    Matcher placeholders = PLACEHOLDER.matcher(text);
    StringBuilder replaced = new StringBuilder();
    while (placeholders.find()) {
      placeholders.appendReplacement(
          replaced,
          Matcher.quoteReplacement(
              value(option, placeholders.toMatchResult().group(), placeholders)));
    }
    return placeholders.appendTail(replaced).toString();
  }

  private String value(Option<?> option, String whole, Matcher placeholder) {
    String name = placeholder.group(1);
    String offsets = placeholder.group(2);
    String format = placeholder.group(3);
    boolean template = TEMPLATES.contains(option);
    if (variables.containsKey(name) && offsets.isEmpty() && format == null) {
      used.add(name);
      return variables.get(name);
    }
    if (name.equals(DATE)) {
      boolean column = template && offsets.isEmpty() && (format == null || format.matches("\\d+"));
      return column ? whole : date(option, whole, offsets, format);
    }
    if (STRICT.contains(option)) {
      throw invalid(
          "option '%s' has the placeholder '%s', which is neither a date nor a variable; %s"
              .formatted(option, whole, hint(name)));
    }
    return whole;
  }

  private String hint(String name) {
    Set<String> known = new TreeSet<>(variables.keySet());
    known.add(DATE);
    LevenshteinDistance distance = LevenshteinDistance.getDefaultInstance();
    return known.stream()
        .filter(each -> distance.apply(name, each) <= Math.max(1, name.length() / 3))
        .findFirst()
        .map("did you mean '{%s}'?"::formatted)
        .orElse("give it a value (--set %s=…), or remove it".formatted(name));
  }

  private String date(Option<?> option, String whole, String offsets, String format) {
    if (!OFFSETS.matcher(offsets).matches()) {
      throw invalid(
          "option '%s' has the placeholder '%s', whose offset is '%s'; write numbers with a sign and y, M, w, d, h or m, such as {date-1d}"
              .formatted(option, whole, offsets));
    }
    try {
      ZonedDateTime moved = date;
      Matcher each = OFFSET.matcher(offsets);
      while (each.find()) {
        moved = moved.plus(Long.parseLong(each.group(1)), UNITS.get(each.group(2)));
      }
      return DateTimeFormatter.ofPattern(format == null ? DEFAULT_FORMAT : format, Locale.ROOT)
          .format(moved);
    } catch (IllegalArgumentException | DateTimeException e) {
      throw invalid(
          "option '%s' has the placeholder '%s', which has no date: %s; take a format such as {date:yyyy-MM-dd}"
              .formatted(option, whole, e.getMessage()));
    }
  }

  private static LightmillException invalid(String message) {
    return new LightmillException(ErrorCode.CONFIGURATION_INVALID, message);
  }
}
