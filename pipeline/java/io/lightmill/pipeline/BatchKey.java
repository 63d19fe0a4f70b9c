package io.lightmill.pipeline;

/**
 * What requests must share to be drawn in one batch: the shapes of all tensors and the number of
 * transformer calls.
 *
 * @param guided whether {@link ClassifierFreeGuidance} guides
 */
public record BatchKey(
    int width, int height, int numInferenceSteps, int maxSequenceLength, boolean guided) {

  public static BatchKey of(ImageRequest request, ClassifierFreeGuidance guidance) {
    return new BatchKey(
        request.width(),
        request.height(),
        request.numInferenceSteps(),
        request.maxSequenceLength(),
        guidance.guides(request));
  }
}
