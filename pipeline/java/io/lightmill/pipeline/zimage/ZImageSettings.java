package io.lightmill.pipeline.zimage;

import com.fasterxml.jackson.databind.JsonNode;
import io.lightmill.pipeline.checkpoint.ComponentConfig;

/**
 * Arguments of diffusers' {@code ZImagePipeline} that no request carries; a model card may give
 * them.
 *
 * @param cfgNormalization how many times the norm of the positive part guidance may reach; 0 for
 *     any
 * @param cfgTruncation model time, from 0 at the noise to 1 at the picture, after which nothing is
 *     guided
 */
record ZImageSettings(double cfgNormalization, double cfgTruncation) {

  /** The defaults of diffusers' pipeline. */
  static final ZImageSettings DEFAULT = new ZImageSettings(0, 1);

  /** These settings, but for those that are given. */
  ZImageSettings with(ComponentConfig given) {
    return new ZImageSettings(
        factor(given, "cfg_normalization", cfgNormalization),
        given.number("cfg_truncation", cfgTruncation));
  }

  /** A number, or true for 1 and false for 0. */
  private static double factor(ComponentConfig given, String key, double absent) {
    JsonNode value = given.json().path(key);
    return value.isBoolean() ? (given.flag(key, false) ? 1 : 0) : given.number(key, absent);
  }

  /** Whether guidance is on at a timestep in [0, 1000], 1000 being pure noise. */
  boolean guidesAt(double timestep) {
    float modelTime = (1000 - (float) timestep) / 1000;
    return cfgTruncation > 1 || modelTime <= cfgTruncation;
  }
}
