package io.lightmill.udfs.table;

import io.lightmill.pipeline.InvisibleCharacters;
import io.lightmill.pipeline.LightmillException;
import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.commons.csv.CSVException;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;
import org.apache.commons.csv.QuoteMode;
import org.apache.commons.lang3.StringUtils;
import org.apache.hadoop.conf.Configuration;

/**
 * A CSV file as RFC 4180 defines it: quotes are doubled inside quotes, and a quoted value may hold
 * line ends. A first line {@code sep=;}, as Excel reads it, names another separator.
 */
final class CsvFile implements Closeable {

  private static final Pattern SEPARATOR = Pattern.compile("\"?sep=([^\"\\r\\n])\"?(\\r\\n?|\\n)");
  private static final int SEPARATOR_LENGTH = 9;
  private static final int EXCERPT = 80;

  /**
   * The values of a record; null where nothing stands between two separators.
   *
   * @param error what is wrong with the record, as a sentence; null if nothing is
   */
  record Line(List<String> values, String error) {}

  private final TableFile file;
  private final Configuration hadoop;
  private final DecodedText text;
  private final CSVParser parser;
  private final Iterator<CSVRecord> records;
  private final char separator;
  private final long skipped;
  private final List<String> header;

  private CsvFile(TableFile file, Configuration hadoop) throws IOException {
    this.file = file;
    this.hadoop = hadoop;
    text = new DecodedText(file.bytes(hadoop), true);
    try {
      BufferedReader reader = new BufferedReader(text);
      Optional<Character> named = separator(reader);
      separator = named.orElse(',');
      skipped = named.isPresent() ? 1 : 0;
      parser =
          CSVFormat.DEFAULT
              .builder()
              .setDelimiter(separator)
              .setQuoteMode(QuoteMode.ALL_NON_NULL) // tells an empty value from none
              .get()
              .parse(reader);
      records = parser.iterator();
      header = names();
    } catch (IOException | RuntimeException e) {
      text.close();
      throw e;
    }
  }

  /**
   * Opens a file and reads its header.
   *
   * @throws LightmillException with {@code INPUT_INVALID} if the header cannot be decoded
   */
  static CsvFile open(TableFile file, Configuration hadoop) throws IOException {
    return new CsvFile(file, hadoop);
  }

  private static Optional<Character> separator(BufferedReader reader) throws IOException {
    reader.mark(SEPARATOR_LENGTH);
    char[] start = new char[SEPARATOR_LENGTH];
    int read = 0;
    for (int n = 0;
        n >= 0 && read < start.length;
        n = reader.read(start, read, start.length - read)) {
      read += n;
    }
    Matcher matcher = SEPARATOR.matcher(new String(start, 0, read));
    reader.reset();
    if (!matcher.lookingAt()) {
      return Optional.empty();
    }
    reader.readLine();
    return Optional.of(matcher.group(1).charAt(0));
  }

  private List<String> names() {
    Line first = read();
    if (first == null) {
      return List.of();
    }
    if (first.error() != null) {
      throw TableFile.invalid("the header cannot be read: " + first.error(), null);
    }
    return first.values().stream()
        .map(name -> name == null ? "" : InvisibleCharacters.stripped(name))
        .toList();
  }

  /**
   * Names of the columns without white space around them, some of them empty; none if the file is.
   */
  List<String> header() {
    return header;
  }

  /**
   * The next record that is not an empty line; null after the last.
   *
   * @throws LightmillException with {@code INPUT_INVALID} if quotes do not pair up
   */
  Line next() {
    Line line = read();
    while (line != null && line.error() == null && emptyLine(line.values())) {
      line = read();
    }
    return line == null || line.error() != null ? line : fitted(line.values());
  }

  private static boolean emptyLine(List<String> values) {
    return values.size() == 1 && StringUtils.isBlank(values.get(0));
  }

  /** Cells beyond the header are no values if they are empty. */
  private Line fitted(List<String> values) {
    boolean surplus = false;
    for (int i = header.size(); i < values.size(); i++) {
      surplus |= !StringUtils.isBlank(values.get(i));
    }
    return values.size() >= header.size() && !surplus
        ? new Line(values, null)
        : new Line(
            values,
            "line %d of '%s' has %d values, but the header has %d columns: '%s'; enclose values that hold commas, quotes or line ends in double quotes, and double the quotes inside"
                .formatted(
                    lines(),
                    file.name(),
                    values.size(),
                    header.size(),
                    excerpt(
                        String.join(
                            String.valueOf(separator),
                            values.stream().map(v -> v == null ? "" : v).toList()))));
  }

  private Line read() {
    long first = lines() + 1;
    try {
      if (!records.hasNext()) {
        return null;
      }
      List<String> values = Arrays.asList(records.next().values()); // with nulls
      return new Line(
          values,
          text.badBytes(first, lines()).map(bad -> bad.sentence(file.name(), 0)).orElse(null));
    } catch (UncheckedIOException e) {
      if (!(e.getCause() instanceof CSVException)) {
        throw file.unreadable(e.getCause());
      }
      if (e.getCause().getMessage().contains("EOF")) {
        return neverClosed(first);
      }
      throw TableFile.invalid(
          "the quotes of '%s' do not pair up at line %d or before: enclose values that hold commas, quotes or line ends in double quotes, and double the quotes inside"
              .formatted(file.name(), lines()),
          e);
    }
  }

  /** Lines read so far. */
  private long lines() {
    return parser == null ? skipped : skipped + parser.getCurrentLineNumber();
  }

  /** The record that holds the rest of the file. */
  private Line neverClosed(long first) {
    String rest;
    try (BufferedReader again = new BufferedReader(new DecodedText(file.bytes(hadoop), true))) {
      for (long line = 1; line < first; line++) {
        again.readLine();
      }
      char[] start = new char[EXCERPT + 1];
      rest = new String(start, 0, Math.max(0, again.read(start)));
    } catch (IOException e) {
      throw file.unreadable(e);
    }
    return new Line(
        List.of(),
        "a quote that opens at line %d of '%s' is never closed: '%s'; close it, and double the quotes inside a value"
            .formatted(first, file.name(), excerpt(rest)));
  }

  private static String excerpt(String text) {
    return StringUtils.abbreviate(text.strip(), EXCERPT);
  }

  @Override
  public void close() throws IOException {
    text.close();
  }
}
