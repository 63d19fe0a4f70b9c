package io.lightmill.pipeline.verify;

import static io.lightmill.pipeline.ClassifierFreeGuidance.GUIDANCE_SCALE;
import static io.lightmill.pipeline.ClassifierFreeGuidance.POSITIVE_GUIDANCE_SCALE;
import static io.lightmill.pipeline.ClassifierFreeGuidance.TRUE_CFG_SCALE;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * What a diffusers pipeline does where a recorded call leaves an argument out: the defaults of its
 * {@code __call__}.
 *
 * @param settings that the pipeline takes beside requests
 */
record CallDefaults(
    int width,
    int height,
    int numInferenceSteps,
    double guidanceScale,
    double trueCfgScale,
    int maxSequenceLength,
    ClassifierFreeGuidance guidance,
    Set<String> settings) {

  private static final Map<String, CallDefaults> BY_PIPELINE_CLASS =
      new TreeMap<>(
          Map.of(
              "Flux2KleinPipeline",
              new CallDefaults(1024, 1024, 50, 4, 1, 512, GUIDANCE_SCALE, Set.of("is_distilled")),
              "FluxPipeline",
              new CallDefaults(1024, 1024, 28, 3.5, 1, 512, TRUE_CFG_SCALE, Set.of()),
              "QwenImagePipeline",
              new CallDefaults(1024, 1024, 50, 1, 4, 512, TRUE_CFG_SCALE, Set.of()),
              "StableDiffusion3Pipeline",
              new CallDefaults(1024, 1024, 28, 7, 1, 256, GUIDANCE_SCALE, Set.of()),
              "ZImagePipeline",
              new CallDefaults(
                  1024,
                  1024,
                  50,
                  5,
                  1,
                  512,
                  POSITIVE_GUIDANCE_SCALE,
                  Set.of("cfg_normalization", "cfg_truncation"))));

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
