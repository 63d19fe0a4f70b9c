package io.lightmill.pipeline.flow;

/**
 * One step along the flow.
 *
 * @param number from 0
 * @param count of all steps
 * @param timestep input of the transformer, in [0, 1000]; 1000 is pure noise
 * @param sigma noise level of the latents, in [0, 1]; 1 is pure noise
 */
public record FlowStep(int number, int count, double timestep, double sigma) {

  boolean isFirst() {
    return number == 0;
  }

  boolean isLast() {
    return number == count - 1;
  }
}
