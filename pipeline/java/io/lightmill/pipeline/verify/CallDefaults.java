package io.lightmill.pipeline.verify;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a diffusers pipeline does where a recorded call leaves an argument out: the defaults of its
 * {@code __call__}.
 */
record CallDefaults(
    int width,
    int height,
    int numInferenceSteps,
    double guidanceScale,
    double trueCfgScale,
    int maxSequenceLength,
    ClassifierFreeGuidance guidance) {

  private static final Map<String, CallDefaults> BY_PIPELINE_CLASS =
      new TreeMap<>(
          Map.of(
              "FluxPipeline",
              new CallDefaults(1024, 1024, 28, 3.5, 1, 512, ClassifierFreeGuidance.TRUE_CFG_SCALE),
              "StableDiffusion3Pipeline",
              new CallDefaults(1024, 1024, 28, 7, 1, 256, ClassifierFreeGuidance.GUIDANCE_SCALE)));

  /**
   * The defaults of a pipeline class.
   *
   * @throws LightmillException with {@code INPUT_INVALID} if verification does not know it
   */
  static CallDefaults of(String pipelineClass) {
    CallDefaults defaults = BY_PIPELINE_CLASS.get(pipelineClass);
    if (defaults == null) {
      throw new LightmillException(
          ErrorCode.INPUT_INVALID,
          "the reference was recorded from a %s; Lightmill verifies %s"
              .formatted(pipelineClass, String.join(", ", BY_PIPELINE_CLASS.keySet())));
    }
    return defaults;
  }
}
