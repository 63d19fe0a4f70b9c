package io.lightmill.udfs.store;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.image.ImageFormat;
import io.lightmill.udfs.column.ColumnTemplate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Makes the keys of image objects from the values of a row: {@code {sku}/{image_id}}, in the
 * grammar of {@link ColumnTemplate}. For every value, the key is below {@value #DIRECTORY} and a
 * plain name on all file systems. So no row can overwrite a manifest.
 */
public final class PathTemplate {

  /** The default: 256 directories, by the first digits of the image id. */
  public static final String STANDARD = "{image_id:2}/{image_id}";

  /** The directory of all image objects below an output. */
  public static final String DIRECTORY = "images";

  /** With names of at most {@link PathSegment#MAX_BYTES}, keys are within S3's 1,024 bytes. */
  private static final int MAX_SEGMENTS = 5;

  private static final String KIND = "Path template";
  private static final Pattern LITERAL = Pattern.compile("[\\p{L}\\p{N}._+@,()-]*");

  private final List<ColumnTemplate> segments;
  private final String extension;

  private PathTemplate(List<ColumnTemplate> segments, String extension) {
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
    return new PathTemplate(
        segments(template).stream()
            .map(segment -> requireKnown(wellFormed(segment, template), template, known))
            .toList(),
        "." + format.extension());
  }

  /**
   * Checks what needs no table.
   *
   * @throws LightmillException (CONFIGURATION_INVALID) if the template cannot make a valid path
   */
  public static void requireWellFormed(String template) {
    segments(template).forEach(segment -> wellFormed(segment, template));
  }

  private static List<String> segments(String template) {
    List<String> segments =
        new ArrayList<>(Arrays.asList(template.split("/", -1))); // -1 keeps empty ends
    if (segments.size() > 1 && segments.get(0).equals(DIRECTORY)) {
      segments.remove(0);
    }
    if (segments.size() > MAX_SEGMENTS) {
      throw invalid(template, "has more than %d parts between slashes".formatted(MAX_SEGMENTS));
    }
    ColumnTemplate.parse(KIND, template); // names the whole template where its braces are wrong
    return segments;
  }

  /**
   * The key of one image object.
   *
   * @param values finds a value by its name; null counts as empty
   */
  public String key(UnaryOperator<String> values) {
    return segments.stream()
        .map(segment -> PathSegment.of(segment.fill(values(segment, values))))
        .collect(Collectors.joining("/", DIRECTORY + "/", extension));
  }

  /** The part of a key that the template made: the path below {@value #DIRECTORY}. */
  public static String name(String key) {
    return key.substring(DIRECTORY.length() + 1);
  }

  private static List<String> values(ColumnTemplate segment, UnaryOperator<String> values) {
    return segment.columns().stream().map(name -> PathSegment.value(values.apply(name))).toList();
  }

  private static ColumnTemplate requireKnown(
      ColumnTemplate parsed, String template, Set<String> known) {
    for (String name : parsed.columns()) {
      if (!known.contains(name)) {
        throw invalid(
            template,
            "names {%s}, which no row has; known are %s"
                .formatted(name, String.join(", ", new TreeSet<>(known))));
      }
    }
    return parsed;
  }

  private static ColumnTemplate wellFormed(String segment, String template) {
    ColumnTemplate parsed = ColumnTemplate.parse(KIND, segment);
    String literal = String.join("", parsed.literals());
    if (segment.isEmpty()) {
      throw invalid(template, "starts or ends with a slash, or has two in a row");
    }
    if (!LITERAL.matcher(literal).matches()) {
      throw invalid(
          template, "has characters in '%s' that file names should not have".formatted(literal));
    }
    if (segment.startsWith(".") || segment.endsWith(".") || literal.contains("..")) {
      throw invalid(template, "has a name that starts or ends with a dot, or two dots in a row");
    }
    return parsed;
  }

  private static LightmillException invalid(String template, String reason) {
    return new LightmillException(
        ErrorCode.CONFIGURATION_INVALID,
        KIND
            + " '%s' %s. Write it as directories and a name, such as {sku}/{image_id}."
                .formatted(template, reason));
  }
}
