package io.lightmill.pipeline.classify;

import io.lightmill.pipeline.checkpoint.WeightLayout;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What a classifier or scorer has, known without its weights.
 *
 * @param labels that have scores; none for a scorer
 * @param thresholds that apply where the caller gives none
 * @param parameters elements of all weights
 */
public record ClassifierInfo(List<String> labels, Map<String, Double> thresholds, long parameters) {

  public ClassifierInfo {
    labels = List.copyOf(labels);
    thresholds = Map.copyOf(thresholds);
  }

  static ClassifierInfo of(
      List<String> labels, Map<String, Double> thresholds, WeightLayout... layouts) {
    return new ClassifierInfo(
        labels,
        thresholds,
        Stream.of(layouts)
            .flatMap(layout -> layout.shapes().values().stream())
            .mapToLong(shape -> shape.stream().reduce(1L, Math::multiplyExact))
            .sum());
  }
}
