package io.lightmill.pipeline;

import java.io.Serializable;
import java.math.BigDecimal;
import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The adapters of an image and their weights. Adapters of weight 0 are left out and the order does
 * not matter, so equal blends give equal images.
 *
 * @param weights of the adapters by name, none of them 0
 */
public record LoraBlend(SortedMap<String, BigDecimal> weights) implements Serializable {

  /** The checkpoint without adapters. */
  public static final LoraBlend NONE = new LoraBlend(new TreeMap<>());

  /** The value of a row without adapters, if the job has a default. */
  public static final String NONE_NAMED = "none";

  /** The pattern of adapter names. */
  public static final String NAME = "[A-Za-z0-9][A-Za-z0-9_.-]*";

  private static final Pattern PART =
      Pattern.compile("(" + NAME + ")(?:@(-?(?:\\d+(?:\\.\\d+)?|\\.\\d+)))?");

  public LoraBlend {
    weights = Collections.unmodifiableSortedMap(new TreeMap<>(weights));
  }

  /**
   * Reads a blend such as {@code brand@0.8+style@0.5}; a weight left out is 1.
   *
   * @throws LightmillException with {@code VALUE_INVALID}
   */
  public static LoraBlend parse(String text) {
    SortedMap<String, BigDecimal> weights = new TreeMap<>();
    if (text.isBlank() || text.strip().equals(NONE_NAMED)) {
      return NONE;
    }
    for (String part : text.split("\\+", -1)) {
      Matcher matcher = PART.matcher(part.strip());
      if (!matcher.matches()) {
        throw invalid(
            "lora '%s' is not made of names and weights; write it as 'brand@0.8+style@0.5'"
                .formatted(text));
      }
      BigDecimal weight =
          matcher.group(2) == null ? BigDecimal.ONE : normalized(new BigDecimal(matcher.group(2)));
      if (weights.put(matcher.group(1), weight) != null) {
        throw invalid(
            "lora '%s' names '%s' twice; give it one weight".formatted(text, matcher.group(1)));
      }
    }
    weights.values().removeIf(weight -> weight.signum() == 0);
    return new LoraBlend(weights);
  }

  private static LightmillException invalid(String message) {
    return new LightmillException(ErrorCode.VALUE_INVALID, message);
  }

  private static BigDecimal normalized(BigDecimal weight) {
    BigDecimal shortest = weight.stripTrailingZeros();
    return shortest.scale() < 0 ? shortest.setScale(0) : shortest;
  }

  public boolean isEmpty() {
    return weights.isEmpty();
  }

  /** The form that {@link #parse} reads, adapters in the order of their names. */
  @Override
  public String toString() {
    return weights.entrySet().stream().map(LoraBlend::part).collect(Collectors.joining("+"));
  }

  private static String part(Map.Entry<String, BigDecimal> entry) {
    return entry.getKey() + "@" + entry.getValue().toPlainString();
  }
}
