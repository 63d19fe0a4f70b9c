package io.lightmill.pipeline.image;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.ImageRequest;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Receipts for tests. */
public final class Receipts {

  public static final String HOSTILE =
      "Кружка ☕ 藍色的馬克杯 👩🏽‍🚀 <b>&amp;\"'</b> ]]> <?x?> naïve\tline one\nline two\\ %s {0}";

  private Receipts() {}

  public static Receipt of(String prompt) {
    return of(prompt, Optional.empty(), 1);
  }

  public static Receipt of(String prompt, Optional<String> negativePrompt, double trueCfgScale) {
    ImageRequest request =
        ImageRequest.builder(prompt)
            .negativePrompt(negativePrompt.orElse(null))
            .width(768)
            .height(1344)
            .numInferenceSteps(8)
            .guidanceScale(3.5)
            .trueCfgScale(trueCfgScale)
            .maxSequenceLength(512)
            .seed(42)
            .build();
    return new Receipt(
        request,
        ClassifierFreeGuidance.TRUE_CFG_SCALE,
        "Euler",
        "Simple",
        "black-forest-labs/FLUX.1-dev",
        "0123456789abcdef0123456789abcdef",
        "Lightmill 0.1.0",
        json(prompt));
  }

  private static String json(String prompt) {
    Map<String, Object> values = new TreeMap<>();
    values.put("prompt", prompt);
    values.put("seed", 42L);
    try {
      return new ObjectMapper().writeValueAsString(values);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}
