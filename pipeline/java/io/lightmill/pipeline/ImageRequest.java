package io.lightmill.pipeline;

import java.util.Objects;
import java.util.Optional;

/**
 * One image to draw, with every value decided. The names are those of diffusers' pipeline
 * arguments.
 *
 * @param prompt what to draw
 * @param negativePrompt what to steer away from; present exactly when true classifier-free guidance
 *     is wanted, which costs a second transformer call a step
 * @param width of the image, in pixels
 * @param height of the image, in pixels
 * @param numInferenceSteps transformer evaluations along the flow, at least 1
 * @param guidanceScale the embedded (distilled) guidance; ignored by checkpoints without one
 * @param trueCfgScale weight of the classifier-free guidance; 1 turns it off
 * @param maxSequenceLength prompt tokens that the long text encoder sees, padding included
 * @param seed of the CPU generator that draws the initial noise
 */
public record ImageRequest(
    String prompt,
    Optional<String> negativePrompt,
    int width,
    int height,
    int numInferenceSteps,
    double guidanceScale,
    double trueCfgScale,
    int maxSequenceLength,
    long seed) {

  public ImageRequest {
    Objects.requireNonNull(prompt, "prompt");
    Objects.requireNonNull(negativePrompt, "negativePrompt");
  }

  /** Whether drawing this image takes a second, negative transformer call a step. */
  public boolean trueCfg() {
    return negativePrompt.isPresent() && trueCfgScale > 1;
  }
}
