package io.lightmill.pipeline;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * The scores of a request and of what was drawn for it, where checks may draw several images.
 *
 * @param prompt scores of the prompt by label; none without a prompt classifier
 * @param draws in their order; none if the prompt is blocked
 * @param chosen index of the draw that the result has; empty if it has none
 */
public record Screening(Map<String, Double> prompt, List<Draw> draws, OptionalInt chosen) {

  public Screening {
    prompt = Collections.unmodifiableMap(new LinkedHashMap<>(prompt));
    draws = List.copyOf(draws);
  }

  /** What became of an image that was drawn. */
  public enum Fate {
    /** No check is against it. */
    PASSED,
    /** A classifier blocks it. */
    BLOCKED,
    /** It was not drawn, or is blank. */
    FAILED;

    /** The name in manifests. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * An image that was drawn.
   *
   * @param seed that it was drawn with
   * @param labels scores of the image by label; none without an image classifier
   * @param score of the scorer; empty without one
   */
  public record Draw(long seed, Map<String, Double> labels, OptionalDouble score, Fate fate) {

    public Draw {
      labels = Collections.unmodifiableMap(new LinkedHashMap<>(labels));
    }
  }

  /** The seed of the chosen draw. */
  public Optional<Long> seed() {
    return chosen.isPresent() ? Optional.of(draws.get(chosen.getAsInt()).seed()) : Optional.empty();
  }
}
