package io.lightmill.pipeline;

/**
 * What requests must share to be drawn in one batch: the shapes of all tensors and the number of
 * transformer calls.
 */
public record BatchKey(
    int width, int height, int numInferenceSteps, int maxSequenceLength, boolean trueCfg) {

  public static BatchKey of(ImageRequest request) {
    return new BatchKey(
        request.width(),
        request.height(),
        request.numInferenceSteps(),
        request.maxSequenceLength(),
        request.trueCfg());
  }
}
