package io.lightmill.pipeline.image;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.ImageRequest;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class ReceiptTest {

  /** How the Stable Diffusion web UI splits the last line (infotext_utils.py). */
  private static final Pattern SETTING =
      Pattern.compile("\\s*(\\w[\\w \\-/]+):\\s*(\"(?:\\\\.|[^\\\\\"])+\"|[^,]*)(?:,|$)");

  @Test
  void parametersAreThoseOfTheWebUi() {
    Receipt receipt = Receipts.of("a blue mug,\non a table", Optional.of("blurry, text"), 4.5);

    assertThat(receipt.parameters())
        .isEqualTo(
            """
            a blue mug,
            on a table
            Negative prompt: blurry, text
            Steps: 8, Sampler: Euler, Schedule type: Simple, CFG scale: 4.5, \
            Distilled CFG Scale: 3.5, Seed: 42, Size: 768x1344, Model hash: 0123456789, \
            Model: black-forest-labs/FLUX.1-dev, Version: Lightmill 0.1.0\
            """);
  }

  @Test
  void guidanceThatIsOffReadsAsOneAndIsLeftOut() {
    ImageRequest request =
        ImageRequest.builder("a mug")
            .negativePrompt("blurry")
            .width(512)
            .height(512)
            .numInferenceSteps(4)
            .guidanceScale(0)
            .trueCfgScale(1)
            .maxSequenceLength(256)
            .seed(-3)
            .build();
    Receipt receipt =
        new Receipt(
            request,
            ClassifierFreeGuidance.TRUE_CFG_SCALE,
            "Euler",
            "Simple",
            "m",
            "ab",
            "Lightmill",
            "{}");

    assertThat(settings(receipt.parameters()))
        .containsEntry("CFG scale", "1")
        .containsEntry("Seed", "-3")
        .containsEntry("Model hash", "ab")
        .doesNotContainKey("Distilled CFG Scale");
  }

  @Test
  void guidanceThatIsNotDistilledIsTheCfgScale() {
    ImageRequest request =
        ImageRequest.builder("a mug")
            .width(512)
            .height(512)
            .numInferenceSteps(4)
            .guidanceScale(7)
            .trueCfgScale(1)
            .maxSequenceLength(256)
            .seed(1)
            .build();
    Receipt receipt =
        new Receipt(
            request,
            ClassifierFreeGuidance.GUIDANCE_SCALE,
            "Euler",
            "Simple",
            "m",
            "ab",
            "Lightmill",
            "{}");

    assertThat(settings(receipt.parameters()))
        .containsEntry("CFG scale", "7")
        .doesNotContainKey("Distilled CFG Scale");
  }

  @Test
  void valuesWithSeparatorsAreQuoted() {
    ImageRequest request = Receipts.of("a mug").request();
    Receipt receipt =
        new Receipt(
            request,
            ClassifierFreeGuidance.TRUE_CFG_SCALE,
            "Euler",
            "Simple",
            "s3://b/x, Seed: 1 \"é\"\n",
            "ab",
            "L",
            "{}");

    assertThat(settings(receipt.parameters()))
        .containsEntry("Seed", "42")
        .containsEntry("Version", "L")
        .hasEntrySatisfying("Model", model -> assertThat(model).startsWith("\"").endsWith("\""));
  }

  private static Map<String, String> settings(String parameters) {
    Matcher matcher = SETTING.matcher(parameters.substring(parameters.lastIndexOf('\n') + 1));
    Map<String, String> settings = new LinkedHashMap<>();
    while (matcher.find()) {
      assertThat(settings.put(matcher.group(1), matcher.group(2))).isNull();
    }
    return settings;
  }
}
