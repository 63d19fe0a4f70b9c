package io.lightmill.udfs.table;

import java.io.BufferedReader;
import java.io.IOException;
import java.util.Set;
import org.apache.commons.lang3.StringUtils;
import org.apache.commons.lang3.Strings;
import org.apache.hadoop.conf.Configuration;

/**
 * The objects of JSON files as texts: lines of objects, or documents (an array of objects, or
 * objects that are spread over several lines). A row is the text, the error instead of it, and the
 * values of the file's directories.
 *
 * @param requested {@linkplain ColumnNames#folded folded} names of columns whose fractional numbers
 *     become text, since Spark would round them
 * @param batch whether each line is a {@link BatchRequest}
 */
record JsonTexts(Set<String> requested, boolean batch) implements FileRows.Source {

  private static final int START = 1 << 15;

  @Override
  public FileRows.Open open(TableFile file, Configuration hadoop) throws IOException {
    DecodedText text = new DecodedText(file.bytes(hadoop), file.start() == 0);
    try {
      BufferedReader reader = new BufferedReader(text, START);
      return file.whole() && isDocument(start(reader))
          ? new JsonDocument(file, text, JsonText.DOCUMENTS.createParser(reader), requested)
          : new JsonLines(file, hadoop, text, reader, this);
    } catch (IOException | RuntimeException e) {
      text.close();
      throw e;
    }
  }

  /** Whether a file is read as a whole, since its lines are no objects. */
  static boolean isWhole(TableFile file, Configuration hadoop) throws IOException {
    try (DecodedText text = new DecodedText(file.bytes(hadoop), true)) {
      return !text.divisible() || isDocument(start(new BufferedReader(text, START)));
    }
  }

  private static String start(BufferedReader reader) throws IOException {
    reader.mark(START);
    char[] start = new char[START];
    int read = 0;
    for (int n = 0; n >= 0 && read < START; n = reader.read(start, read, START - read)) {
      read += n;
    }
    reader.reset();
    return new String(start, 0, read).stripLeading();
  }

  /** An array, or an object that does not end in its first line. */
  private static boolean isDocument(String start) {
    String line = StringUtils.stripEnd(start.lines().findFirst().orElse(""), null);
    return line.startsWith("[")
        || (line.startsWith("{") && Strings.CS.endsWithAny(line, "{", "[", ","));
  }

  /** Whether the first line of a file is a {@link BatchRequest}. */
  static boolean isBatch(TableFile file, Configuration hadoop) throws IOException {
    try (DecodedText text = new DecodedText(file.bytes(hadoop), true)) {
      return start(new BufferedReader(text, START))
          .lines()
          .findFirst()
          .filter(BatchRequest::isRequest)
          .isPresent();
    }
  }
}
