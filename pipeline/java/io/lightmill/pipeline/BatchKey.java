package io.lightmill.pipeline;

/**
 * The properties that all requests of a batch share: those that set tensor shapes, the number of
 * transformer calls, and the weights.
 *
 * @param guided whether {@link ClassifierFreeGuidance} is on
 * @param lora adapters
 * @param efficiency which transformer calls are saved
 */
public record BatchKey(
    int width,
    int height,
    int numInferenceSteps,
    int maxSequenceLength,
    boolean guided,
    LoraBlend lora,
    SamplingEfficiency efficiency) {

  public static BatchKey of(ImageRequest request, ClassifierFreeGuidance guidance) {
    return new BatchKey(
        request.width(),
        request.height(),
        request.numInferenceSteps(),
        request.maxSequenceLength(),
        guidance.guides(request),
        request.lora(),
        request.efficiency());
  }
}
