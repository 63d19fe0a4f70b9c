package io.lightmill.pipeline.checks;

import io.lightmill.pipeline.classify.ImageClassifier;
import io.lightmill.pipeline.classify.ImageScorer;
import io.lightmill.pipeline.classify.PromptClassifier;
import java.util.Optional;

/** The loaded networks of checks, each of which may be absent. */
public record CheckNetworks(
    Optional<PromptClassifier> prompts,
    Optional<ImageClassifier> images,
    Optional<ImageScorer> scorer)
    implements AutoCloseable {

  /** No networks. */
  public static final CheckNetworks NONE =
      new CheckNetworks(Optional.empty(), Optional.empty(), Optional.empty());

  boolean isEmpty() {
    return prompts.isEmpty() && images.isEmpty() && scorer.isEmpty();
  }

  @Override
  public void close() {
    scorer.ifPresent(ImageScorer::close);
    images.ifPresent(ImageClassifier::close);
    prompts.ifPresent(PromptClassifier::close);
  }
}
