package io.lightmill.pipeline;

/**
 * What requests must share to be drawn in one batch: the shapes of all tensors, the number of
 * transformer calls, and the weights.
 *
 * @param guided whether {@link ClassifierFreeGuidance} guides
 * @param lora adapters
 */
public record BatchKey(
    int width,
    int height,
    int numInferenceSteps,
    int maxSequenceLength,
    boolean guided,
    LoraBlend lora) {

  public static BatchKey of(ImageRequest request, ClassifierFreeGuidance guidance) {
    return new BatchKey(
        request.width(),
        request.height(),
        request.numInferenceSteps(),
        request.maxSequenceLength(),
        guidance.guides(request),
        request.lora());
  }
}
