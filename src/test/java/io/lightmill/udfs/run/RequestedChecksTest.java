package io.lightmill.udfs.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.classify.ClassifierCases;
import io.lightmill.udfs.SolidColorPipeline;
import io.lightmill.udfs.device.CheckedLoader;
import io.lightmill.udfs.device.JobCheckpoint;
import io.lightmill.udfs.device.Model;
import io.lightmill.udfs.option.GenerationOptions;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The options of checks, as the driver reads them. */
class RequestedChecksTest {

  private static final String VIT = ClassifierCases.directory("vit").toString();

  private static JobCheckpoint applied(String... options) {
    Map<String, String> values = new LinkedHashMap<>();
    for (String option : options) {
      values.put(
          option.substring(0, option.indexOf('=')), option.substring(option.indexOf('=') + 1));
    }
    return RequestedChecks.applied(
        new JobCheckpoint(
            new Model("m", "d1g357", "FluxPipeline", "S", "float32"),
            SolidColorPipeline.LIMITS,
            new SolidColorPipeline().loader()),
        GenerationOptions.parse(values),
        new Configuration(false));
  }

  private static String digest(String... options) {
    return applied(options).model().checks();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "image-threshold=nsfw=0.7 | 'image-threshold' needs 'image-classifier'",
        "image-action=flag | 'image-action' needs 'image-classifier'",
        "quarantine=q | 'quarantine' needs 'image-classifier'",
        "prompt-threshold=a=1 | 'prompt-threshold' needs 'prompt-classifier'",
        "best-of=3 | 'best-of' needs 'scorer'",
        "best-of=0 | at least 1",
        "quarantine=../x | a name of letters",
        "quarantine=images | that Lightmill does not use itself",
      })
  void optionsThatLackAnotherAreRefused(String option, String expected) {
    assertThatThrownBy(() -> applied(option))
        .isInstanceOf(LightmillException.class)
        .hasMessageContaining(expected)
        .matches(e -> ((LightmillException) e).code() == ErrorCode.CONFIGURATION_INVALID);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "nsfw=much | the threshold of the label 'nsfw' is 'much'",
        "nsfw=0.5:delete | the threshold of the label 'nsfw' is '0.5:delete'",
        "nudity=0.5 | names the label 'nudity'; the classifier",
      })
  void thresholdsAreOfTheClassifiersLabels(String threshold, String expected) {
    assertThatThrownBy(() -> applied("image-classifier=" + VIT, "image-threshold=" + threshold))
        .hasMessageContaining(expected);
    assertThatThrownBy(() -> applied("image-classifier=" + VIT))
        .hasMessageContaining("'image-threshold' is missing")
        .hasMessageContaining("has the labels normal, nsfw");
  }

  /** The digest is of what decides which image is stored; the others leave identities alone. */
  @Test
  void whatDecidesTheImageIsInItsIdentity() {
    String plain = digest("blank-images=keep");
    String scored = digest("scorer=" + ClassifierCases.directory("clip"));
    String classified = digest("image-classifier=" + VIT, "image-threshold=nsfw=0.7");

    assertThat(plain).isEmpty();
    assertThat(scored).isEmpty();
    assertThat(classified)
        .hasSize(64)
        .isEqualTo(
            digest("image-classifier=" + VIT, "image-threshold=nsfw=0.70:block", "quarantine=kept"))
        .isNotEqualTo(digest("image-classifier=" + VIT, "image-threshold=nsfw=0.8"))
        .isNotEqualTo(digest("image-classifier=" + VIT, "image-threshold=nsfw=0.7:flag"))
        .isNotEqualTo(
            digest(
                "image-classifier=" + ClassifierCases.directory("vit-lanczos"),
                "image-threshold=nsfw=0.7"));
  }

  /** Spark lowers the case of the keys of a DataFrameWriter's options. */
  @Test
  void labelsAreFoundInAnyCase() {
    CheckedLoader loader =
        (CheckedLoader)
            applied(
                    "prompt-classifier=" + ClassifierCases.directory("deberta-v2"),
                    "prompt-threshold.injection=0.9:flag")
                .loader();

    assertThat(loader.settings().prompts()).hasToString("[INJECTION=0.9:flag]");
    assertThatThrownBy(
            () ->
                applied(
                    "prompt-classifier=" + ClassifierCases.directory("deberta-v2"),
                    "prompt-threshold.injection=0.9:retry"))
        .hasMessageContaining("a prompt stays the same");
  }

  @Test
  void theSafetyCheckerHasAThresholdOfItsOwn() {
    CheckedLoader loader =
        (CheckedLoader)
            applied("image-classifier=" + ClassifierCases.directory("safety-checker")).loader();

    assertThat(loader.settings().images()).hasToString("[nsfw=0.001:block]");
  }

  /** The plan of memory knows the networks of checks. */
  @Test
  void memoryIsKnown() {
    CheckedLoader loader =
        (CheckedLoader) applied("image-classifier=" + VIT, "image-threshold=nsfw=0.7").loader();

    assertThat(loader.memory().weights())
        .isEqualTo(loader.models().get(0).bytes())
        .isGreaterThan(30_000);
  }
}
