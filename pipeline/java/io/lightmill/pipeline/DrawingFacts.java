package io.lightmill.pipeline;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * What is known of the drawing of one image beside its pixels: what the checks found and what it
 * took. It travels as one value from the pipeline to the manifest.
 *
 * @param verdicts of classifiers, on the prompt and on the image
 * @param transformerCalls evaluations of the transformer's blocks that the image took, both sides
 *     of guidance counted; empty if the pipeline does not count them, or nothing was drawn
 * @param screening scores and draws; empty without classifier and scorer
 * @param cost price of all requests to a hosted model for this image, failed ones included; empty
 *     for other models and where no price is given
 */
public record DrawingFacts(
    List<Verdict> verdicts,
    OptionalInt transformerCalls,
    Optional<Screening> screening,
    OptionalDouble cost) {

  public static final DrawingFacts NONE =
      new DrawingFacts(List.of(), OptionalInt.empty(), Optional.empty());

  public DrawingFacts {
    verdicts = List.copyOf(verdicts);
  }

  /** Facts of an image without a price. */
  public DrawingFacts(
      List<Verdict> verdicts, OptionalInt transformerCalls, Optional<Screening> screening) {
    this(verdicts, transformerCalls, screening, OptionalDouble.empty());
  }

  public static DrawingFacts ofCost(OptionalDouble cost) {
    return NONE.with(cost);
  }

  public static DrawingFacts ofCalls(int transformerCalls) {
    return new DrawingFacts(List.of(), OptionalInt.of(transformerCalls), Optional.empty());
  }

  public static DrawingFacts ofVerdicts(List<Verdict> verdicts) {
    return new DrawingFacts(verdicts, OptionalInt.empty(), Optional.empty());
  }

  public DrawingFacts with(List<Verdict> found) {
    return new DrawingFacts(found, transformerCalls, screening, cost);
  }

  public DrawingFacts with(Optional<Screening> screened) {
    return new DrawingFacts(verdicts, transformerCalls, screened, cost);
  }

  public DrawingFacts with(OptionalDouble price) {
    return new DrawingFacts(verdicts, transformerCalls, screening, price);
  }

  /** The request with the seed that the image was drawn with. */
  public ImageRequest drawn(ImageRequest request) {
    return screening
        .flatMap(Screening::seed)
        .map(seed -> request.toBuilder().seed(seed).build())
        .orElse(request);
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
