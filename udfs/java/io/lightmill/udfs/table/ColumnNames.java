package io.lightmill.udfs.table;

import io.lightmill.udfs.column.RequestColumn;
import io.lightmill.udfs.column.RequestColumns;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.commons.text.similarity.LevenshteinDistance;

/** Names of columns as people and other tools write them. */
final class ColumnNames {

  /** Width and height in one, such as 512x768. */
  static final String SIZE = "size";

  /** Classifier-free guidance, which is another column with other checkpoints. */
  static final Set<String> AMBIGUOUS_GUIDANCE = Set.of("cfg", "cfgscale");

  private static final Pattern SEPARATORS = Pattern.compile("[\\s_.-]+");

  private static final String OWN_SCHEDULER =
      "images are drawn with the scheduler of the checkpoint";
  private static final String NO_SUCH_REQUEST = "Lightmill has nothing of the kind";

  /** Columns of other tools that Lightmill does not read, and why. */
  private static final Map<String, String> FOREIGN =
      Map.ofEntries(
          Map.entry("sampler", OWN_SCHEDULER),
          Map.entry("samplername", OWN_SCHEDULER),
          Map.entry("samplingmethod", OWN_SCHEDULER),
          Map.entry("samplerindex", OWN_SCHEDULER),
          Map.entry("scheduler", OWN_SCHEDULER),
          Map.entry("scheduletype", OWN_SCHEDULER),
          Map.entry("clipskip", NO_SUCH_REQUEST),
          Map.entry("denoisingstrength", NO_SUCH_REQUEST),
          Map.entry("subseed", NO_SUCH_REQUEST),
          Map.entry("subseedstrength", NO_SUCH_REQUEST),
          Map.entry("variationseed", NO_SUCH_REQUEST),
          Map.entry("enablehr", NO_SUCH_REQUEST),
          Map.entry("hiresupscale", NO_SUCH_REQUEST),
          Map.entry("hrscale", NO_SUCH_REQUEST),
          Map.entry("restorefaces", NO_SUCH_REQUEST),
          Map.entry("tiling", NO_SUCH_REQUEST),
          Map.entry("prompt2", NO_SUCH_REQUEST),
          Map.entry("prompt3", NO_SUCH_REQUEST),
          Map.entry("negativeprompt2", NO_SUCH_REQUEST),
          Map.entry("negativeprompt3", NO_SUCH_REQUEST),
          Map.entry("guidancerescale", NO_SUCH_REQUEST),
          Map.entry("aspectratio", "give width and height"),
          Map.entry("resolution", "give width and height"));

  /** Names that probably mean a request column, and are no word of diffusers or A1111 for it. */
  private static final Map<String, RequestColumn<?>> PROBABLE =
      Map.ofEntries(
          Map.entry("prompts", RequestColumns.PROMPT),
          Map.entry("positive", RequestColumns.PROMPT),
          Map.entry("positiveprompt", RequestColumns.PROMPT),
          Map.entry("neg", RequestColumns.NEGATIVE_PROMPT),
          Map.entry("negprompt", RequestColumns.NEGATIVE_PROMPT),
          Map.entry("promptnegative", RequestColumns.NEGATIVE_PROMPT),
          Map.entry("negatives", RequestColumns.NEGATIVE_PROMPT),
          Map.entry("w", RequestColumns.WIDTH),
          Map.entry("h", RequestColumns.HEIGHT),
          Map.entry("imagewidth", RequestColumns.WIDTH),
          Map.entry("imageheight", RequestColumns.HEIGHT),
          Map.entry("numsteps", RequestColumns.NUM_INFERENCE_STEPS),
          Map.entry("inferencesteps", RequestColumns.NUM_INFERENCE_STEPS),
          Map.entry("samplingsteps", RequestColumns.NUM_INFERENCE_STEPS),
          Map.entry("guidance", RequestColumns.GUIDANCE_SCALE),
          Map.entry("distilledcfgscale", RequestColumns.GUIDANCE_SCALE),
          Map.entry("truecfg", RequestColumns.TRUE_CFG_SCALE),
          Map.entry("seeds", RequestColumns.SEED),
          Map.entry("randomseed", RequestColumns.SEED),
          Map.entry("numimages", RequestColumns.NUM_IMAGES_PER_PROMPT),
          Map.entry("niter", RequestColumns.NUM_IMAGES_PER_PROMPT),
          Map.entry("batchsize", RequestColumns.NUM_IMAGES_PER_PROMPT),
          Map.entry("batchcount", RequestColumns.NUM_IMAGES_PER_PROMPT),
          Map.entry("loras", RequestColumns.LORA));

  /** Usual names of other things that differ little from those of request columns. */
  private static final Set<String> OTHER_WORDS = Set.of("weight", "weights", "stops", "depth");

  /** Shorter names resemble too many words. */
  private static final int MIN_LETTERS = 5;

  private ColumnNames() {}

  /** The name without case and separators: {@code Negative Prompt} is {@code negativeprompt}. */
  static String folded(String name) {
    return SEPARATORS.matcher(name.strip().toLowerCase(Locale.ROOT)).replaceAll("");
  }

  /** The folded names of a request column. */
  static Set<String> of(RequestColumn<?> column) {
    Set<String> names = new HashSet<>();
    names.add(folded(column.name()));
    column.otherNames().forEach(name -> names.add(folded(name)));
    return names;
  }

  /** The folded names of all columns of a table that are read as requests. */
  static Set<String> requested(PromptInput input) {
    Set<String> names = new HashSet<>();
    RequestColumns.ALL.forEach(column -> names.addAll(of(column)));
    input.columns().values().forEach(name -> names.add(folded(name)));
    return names;
  }

  /**
   * What to say about a column that is copied to the manifest although its name looks like a
   * request; empty for all other names.
   *
   * @param read the request columns that the table has
   */
  static Optional<String> notice(String name, Set<RequestColumn<?>> read) {
    String folded = folded(name);
    if (FOREIGN.containsKey(folded)) {
      return Optional.of(
          "column '%s' is copied to the manifest and has no effect: %s"
              .formatted(name, FOREIGN.get(folded)));
    }
    return meant(folded)
        .map(
            column ->
                read.contains(column)
                    ? "column '%s' is copied to the manifest and has no effect, since another column is read as %s"
                        .formatted(name, column)
                    : "column '%s' is copied to the manifest and has no effect; if it is meant as %s, say so with --column %2$s=%s"
                        .formatted(name, column, name));
  }

  private static Optional<RequestColumn<?>> meant(String folded) {
    if (PROBABLE.containsKey(folded)) {
      return Optional.of(PROBABLE.get(folded));
    }
    for (RequestColumn<?> column : RequestColumns.ALL) {
      for (String known : of(column)) {
        if (folded.equals(known) || misspelt(folded, known) || misspelt(folded, known + "s")) {
          return Optional.of(column);
        }
      }
    }
    return Optional.empty();
  }

  private static boolean misspelt(String folded, String known) {
    if (known.length() < MIN_LETTERS
        || folded.length() < MIN_LETTERS
        || OTHER_WORDS.contains(folded)) {
      return false;
    }
    // A letter too many, too few or wrong, or two that are swapped; two of those in long names.
    int most = known.length() > 2 * MIN_LETTERS ? 2 : 1;
    int distance = new LevenshteinDistance(2).apply(folded, known);
    return (distance >= 0 && distance <= most) || (distance == 2 && swapped(folded, known));
  }

  private static boolean swapped(String folded, String known) {
    for (int i = 0; i + 1 < known.length() && folded.length() == known.length(); i++) {
      String other =
          known.substring(0, i) + known.charAt(i + 1) + known.charAt(i) + known.substring(i + 2);
      if (other.equals(folded)) {
        return true;
      }
    }
    return false;
  }
}
