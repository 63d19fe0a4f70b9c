package io.lightmill.pipeline;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What is known of the drawing of one image beside its pixels: what the checks found and what it
 * took. It travels as one value from the pipeline to the manifest.
 *
 * @param verdicts of the checks, on the prompt and on the image
 * @param screening scores and draws; empty without classifier and scorer
 * @param transformerCalls evaluations of the transformer's blocks that the image took, both sides
 *     of guidance counted; empty if the pipeline does not count them, or nothing was drawn
 */
public record DrawingFacts(
    List<Verdict> verdicts, Optional<Screening> screening, OptionalInt transformerCalls) {

  public static final DrawingFacts NONE =
      new DrawingFacts(List.of(), Optional.empty(), OptionalInt.empty());

  public DrawingFacts {
    verdicts = List.copyOf(verdicts);
  }

  public static DrawingFacts ofCalls(int transformerCalls) {
    return new DrawingFacts(List.of(), Optional.empty(), OptionalInt.of(transformerCalls));
  }

  public static DrawingFacts ofVerdicts(List<Verdict> verdicts) {
    return new DrawingFacts(verdicts, Optional.empty(), OptionalInt.empty());
  }

  public DrawingFacts with(List<Verdict> found) {
    return new DrawingFacts(found, screening, transformerCalls);
  }

  /** Whether a verdict blocks the image. */
  public boolean isBlocked() {
    return Verdict.block(verdicts);
  }

  /**
   * The verdict that decides.
   *
   * @throws java.util.NoSuchElementException if there is none
   */
  public Verdict deciding() {
    return Verdict.deciding(verdicts).orElseThrow();
  }
}
