package io.lightmill.udfs.store;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.image.ImageFormat;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Names image objects: {@code {sku}/{image_id}} with the values of a row. {@code {image_id:2}}
 * takes the first two characters of a value. Whatever a value holds, the key stays below {@value
 * #DIRECTORY} and is a plain name on every file system. All keys stand in that directory, so that
 * no row takes the place of a manifest.
 */
public final class PathTemplate {

  /** The default: 256 directories, by the first digits of the image id. */
  public static final String STANDARD = "{image_id:2}/{image_id}";

  /** The directory of all image objects below an output. */
  public static final String DIRECTORY = "images";

  /** With names of at most {@link PathSegment#MAX_BYTES}, keys are within S3's 1,024 bytes. */
  private static final int MAX_SEGMENTS = 5;

  private static final Pattern PLACEHOLDER = Pattern.compile("\\{([^{}:]+)(?::([1-9]\\d?))?}");
  private static final Pattern LITERAL = Pattern.compile("[\\p{L}\\p{N}._+@,()-]*");

  private final List<String> segments;
  private final String extension;

  private PathTemplate(List<String> segments, String extension) {
    this.segments = segments;
    this.extension = extension;
  }

  /**
   * Parses a template.
   *
   * @param template directories and a name, separated by {@code /}; the format adds the extension
   * @param known names of the values that rows have
   * @throws LightmillException (CONFIGURATION_INVALID) if it names an unknown value or cannot make
   *     a valid path
   */
  public static PathTemplate parse(String template, Set<String> known, ImageFormat format) {
    List<String> segments =
        new ArrayList<>(Arrays.asList(template.split("/", -1))); // -1 keeps empty ends
    if (segments.size() > 1 && segments.get(0).equals(DIRECTORY)) {
      segments.remove(0);
    }
    if (segments.size() > MAX_SEGMENTS) {
      throw invalid(template, "has more than %d parts between slashes".formatted(MAX_SEGMENTS));
    }
    for (String segment : segments) {
      check(segment, template, known);
    }
    return new PathTemplate(List.copyOf(segments), "." + format.extension());
  }

  /**
   * The key of one image object.
   *
   * @param values finds a value by its name; null counts as empty
   */
  public String key(UnaryOperator<String> values) {
    return segments.stream()
        .map(segment -> PathSegment.of(filled(segment, values)))
        .collect(Collectors.joining("/", DIRECTORY + "/", extension));
  }

  /** The part of a key that the template made: the path below {@value #DIRECTORY}. */
  public static String name(String key) {
    return key.substring(DIRECTORY.length() + 1);
  }

  private static String filled(String segment, UnaryOperator<String> values) {
    Matcher placeholder = PLACEHOLDER.matcher(segment);
    return placeholder.replaceAll(
        match -> {
          String value = PathSegment.value(values.apply(match.group(1)));
          String part = match.group(2) == null ? value : prefix(value, match.group(2));
          return Matcher.quoteReplacement(part);
        });
  }

  private static String prefix(String value, String characters) {
    int most = Math.min(Integer.parseInt(characters), value.codePointCount(0, value.length()));
    return value.substring(0, value.offsetByCodePoints(0, most));
  }

  private static void check(String segment, String template, Set<String> known) {
    Matcher placeholder = PLACEHOLDER.matcher(segment);
    StringBuilder literal = new StringBuilder();
    int start = 0;
    while (placeholder.find()) {
      literal.append(segment.substring(start, placeholder.start()));
      start = placeholder.end();
      if (!known.contains(placeholder.group(1))) {
        throw invalid(
            template,
            "names {%s}, which no row has; known are %s"
                .formatted(placeholder.group(1), String.join(", ", new TreeSet<>(known))));
      }
    }
    literal.append(segment.substring(start));
    if (segment.isEmpty()) {
      throw invalid(template, "starts or ends with a slash, or has two in a row");
    }
    if (!LITERAL.matcher(literal).matches()) {
      throw invalid(
          template, "has characters in '%s' that file names should not have".formatted(literal));
    }
    if (segment.startsWith(".") || segment.endsWith(".") || literal.indexOf("..") >= 0) {
      throw invalid(template, "has a name that starts or ends with a dot, or two dots in a row");
    }
  }

  private static LightmillException invalid(String template, String reason) {
    return new LightmillException(
        ErrorCode.CONFIGURATION_INVALID,
        "Path template '%s' %s. Write it as directories and a name, such as {sku}/{image_id}."
            .formatted(template, reason));
  }
}
