package io.lightmill.pipeline.classify;

import io.lightmill.pipeline.checkpoint.ComponentConfig;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** How logits become the scores of labels, as in transformers' classification pipelines. */
enum Probabilities {
  /** One label of several applies. */
  SOFTMAX,
  /** Each label applies or not. */
  SIGMOID,
  /** The logits themselves, of a regression. */
  NONE;

  static Probabilities of(ComponentConfig config, int labels) {
    String problem =
        config.choice(
            "problem_type",
            labels == 1 ? "multi_label_classification" : "single_label_classification",
            List.of("single_label_classification", "multi_label_classification", "regression"));
    return switch (problem) {
      case "regression" -> NONE;
      case "multi_label_classification" -> SIGMOID;
      default -> SOFTMAX;
    };
  }

  /** The scores by label, in the order of the labels. */
  Map<String, Double> scores(List<String> labels, float[] logits) {
    double greatest = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      greatest = Math.max(greatest, logit);
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - greatest);
    }
    Map<String, Double> scores = new LinkedHashMap<>();
    for (int i = 0; i < logits.length; i++) {
      double logit = logits[i];
      scores.put(
          labels.get(i),
          switch (this) {
            case SOFTMAX -> Math.exp(logit - greatest) / sum;
            case SIGMOID -> 1 / (1 + Math.exp(-logit));
            case NONE -> logit;
          });
    }
    return scores;
  }
}
