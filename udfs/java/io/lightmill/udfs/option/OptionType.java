package io.lightmill.udfs.option;

import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * How the value of an option is read from text and written back.
 *
 * @param <T> the value
 */
public final class OptionType<T> {

  private static final Pattern DURATION =
      Pattern.compile("(?=\\d)(\\d{1,6}h)?(\\d{1,6}m)?(\\d{1,9}s)?");

  /** Of {@code a=b,c=d}: a comma separates entries only where a name follows. */
  private static final Pattern NEXT_ENTRY = Pattern.compile(",(?=[A-Za-z0-9_.-]+=)");

  private final Shape shape;
  private final String expected;
  private final Function<String, Optional<T>> reader;
  private final Function<T, Object> writer;
  private final List<String> choices;

  private OptionType(
      Shape shape,
      String expected,
      Function<String, Optional<T>> reader,
      Function<T, Object> writer) {
    this(shape, expected, reader, writer, List.of());
  }

  private OptionType(
      Shape shape,
      String expected,
      Function<String, Optional<T>> reader,
      Function<T, Object> writer,
      List<String> choices) {
    this.choices = choices;
    this.shape = shape;
    this.expected = expected;
    this.reader = reader;
    this.writer = writer;
  }

  /** What a value looks like on a command line and in a job file. */
  public enum Shape {
    /** One value. */
    VALUE,
    /** True or false; on the command line the name alone means true. */
    FLAG,
    /** Named values, one {@code name=value} at a time. */
    MAP
  }

  /** Any text. */
  public static OptionType<String> text() {
    return value("a text", Optional::of, text -> text);
  }

  /** Text that matches a pattern. */
  public static OptionType<String> text(Pattern pattern, String expected) {
    return text(pattern.asMatchPredicate(), expected);
  }

  /** Text that a predicate accepts. */
  public static OptionType<String> text(Predicate<String> accepted, String expected) {
    return value(expected, text -> Optional.of(text).filter(accepted), text -> text);
  }

  /** A whole number with a lower bound. */
  public static OptionType<Integer> wholeNumber(int least) {
    return value(
        "a whole number of at least " + least,
        text -> number(text, Integer::valueOf).filter(number -> number >= least),
        number -> number);
  }

  /** A whole number with two bounds. */
  public static OptionType<Integer> wholeNumber(int least, int most) {
    return value(
        "a whole number from %d to %d".formatted(least, most),
        text -> number(text, Integer::valueOf).filter(number -> number >= least && number <= most),
        number -> number);
  }

  /** Any whole number of 64 bits. */
  public static OptionType<Long> wholeNumber() {
    return value("a whole number", text -> number(text, Long::valueOf), number -> number);
  }

  /** A decimal number between two bounds, both included. */
  public static OptionType<Double> decimal(double least, double most, String expected) {
    return value(
        expected,
        text -> number(text, Double::valueOf).filter(number -> number >= least && number <= most),
        number -> number);
  }

  /** True or false. */
  public static OptionType<Boolean> flag() {
    return new OptionType<>(
        Shape.FLAG,
        "true or false",
        text ->
            text.equalsIgnoreCase("true") || text.equalsIgnoreCase("false")
                ? Optional.of(Boolean.valueOf(text))
                : Optional.empty(),
        flag -> flag);
  }

  /** A time such as {@code 7h30m}: ISO-8601 without its letters P and T. */
  public static OptionType<Duration> duration() {
    return value(
        "a time such as 90s, 55m or 7h30m",
        text ->
            Optional.of(text)
                .filter(DURATION.asMatchPredicate())
                .map(time -> Duration.parse("PT" + time.toUpperCase(Locale.ROOT)))
                .filter(time -> !time.isZero()),
        duration -> duration.toString().substring("PT".length()).toLowerCase(Locale.ROOT));
  }

  /** One of the constants, by their names in lower case. */
  public static <E extends Enum<E>> OptionType<E> choice(Class<E> constants) {
    Map<String, E> byName = new LinkedHashMap<>();
    Arrays.stream(constants.getEnumConstants())
        .forEach(constant -> byName.put(constant.name().toLowerCase(Locale.ROOT), constant));
    return choice(byName);
  }

  /** One of the values, by their names. */
  public static <T> OptionType<T> choice(Map<String, T> byName) {
    Map<T, String> names =
        byName.entrySet().stream()
            .collect(Collectors.toMap(Map.Entry::getValue, Map.Entry::getKey));
    return new OptionType<>(
        Shape.VALUE,
        "one of " + String.join(", ", byName.keySet()),
        text -> Optional.ofNullable(byName.get(text.toLowerCase(Locale.ROOT))),
        names::get,
        List.copyOf(byName.keySet()));
  }

  /**
   * Named values.
   *
   * @param expected what names there can be, as the end of {@code must be …}
   */
  public static OptionType<Map<String, String>> map(Predicate<String> name, String expected) {
    return new OptionType<>(
        Shape.MAP,
        expected,
        text -> entries(text).filter(map -> map.keySet().stream().allMatch(name)),
        map -> map);
  }

  /** One value, read and written by functions. */
  static <T> OptionType<T> of(
      String expected, Function<String, Optional<T>> reader, Function<T, Object> writer) {
    return value(expected, reader, writer);
  }

  public Shape shape() {
    return shape;
  }

  /** What a text must be, as the end of {@code must be …}. */
  public String expected() {
    return expected;
  }

  /** The texts of the only values that there are; empty for other types. */
  public List<String> choices() {
    return choices;
  }

  /** Empty if the text is no such value. */
  Optional<T> read(String text) {
    return reader.apply(text);
  }

  /** A number, a boolean, a string, or a map of strings, as YAML and JSON write it. */
  Object plain(T value) {
    return writer.apply(value);
  }

  private static <T> OptionType<T> value(
      String expected, Function<String, Optional<T>> reader, Function<T, Object> writer) {
    return new OptionType<>(Shape.VALUE, expected, reader, writer);
  }

  private static <N> Optional<N> number(String text, Function<String, N> parser) {
    try {
      return Optional.of(parser.apply(text.strip()));
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  private static Optional<Map<String, String>> entries(String text) {
    Map<String, String> entries = new LinkedHashMap<>();
    for (String entry : NEXT_ENTRY.splitAsStream(text).toList()) {
      int equals = entry.indexOf('=');
      if (equals < 1) {
        return Optional.empty();
      }
      entries.put(entry.substring(0, equals).strip(), entry.substring(equals + 1));
    }
    return Optional.of(entries);
  }
}
