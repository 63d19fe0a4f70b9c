package io.lightmill.pipeline.checks;

import java.io.Serializable;
import java.util.List;

/**
 * What is checked, and what follows.
 *
 * @param keepBlank whether images of one colour are results; otherwise they fail
 * @param prompts rules for the labels of the prompt classifier; none without one
 * @param images rules for the labels of the image classifier; none without one
 * @param bestOf images that are drawn for each request, of which the one with the best score is the
 *     result; at least 1
 * @param retries further images that are drawn at most where a rule says retry
 * @param quarantine whether the result keeps an image that is blocked
 * @param digest of all that decides which image is the result; empty if that is always the first
 */
public record CheckSettings(
    boolean keepBlank,
    List<LabelRule> prompts,
    List<LabelRule> images,
    int bestOf,
    int retries,
    boolean quarantine,
    String digest)
    implements Serializable {

  public CheckSettings {
    prompts = List.copyOf(prompts);
    images = List.copyOf(images);
  }

  /** Images of one colour fail, and nothing else is checked. */
  public static final CheckSettings STANDARD =
      new CheckSettings(false, List.of(), List.of(), 1, 0, false, "");
}
