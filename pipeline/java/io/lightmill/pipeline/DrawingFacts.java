package io.lightmill.pipeline;

import java.util.List;
import java.util.OptionalInt;

/**
 * What is known of the drawing of one image beside its pixels: what the checks found and what it
 * took. It travels as one value from the pipeline to the manifest.
 *
 * @param verdicts of the image checks
 * @param transformerCalls evaluations of the transformer's blocks that the image took, both sides
 *     of guidance counted; empty if the pipeline does not count them, or nothing was drawn
 */
public record DrawingFacts(List<Verdict> verdicts, OptionalInt transformerCalls) {

  public static final DrawingFacts NONE = new DrawingFacts(List.of(), OptionalInt.empty());

  public DrawingFacts {
    verdicts = List.copyOf(verdicts);
  }

  public static DrawingFacts ofCalls(int transformerCalls) {
    return new DrawingFacts(List.of(), OptionalInt.of(transformerCalls));
  }

  public static DrawingFacts ofVerdicts(List<Verdict> verdicts) {
    return new DrawingFacts(verdicts, OptionalInt.empty());
  }

  public DrawingFacts with(List<Verdict> found) {
    return new DrawingFacts(found, transformerCalls);
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
