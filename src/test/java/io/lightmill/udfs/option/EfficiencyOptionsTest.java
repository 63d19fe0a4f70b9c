package io.lightmill.udfs.option;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.SamplingEfficiency;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EfficiencyOptionsTest {

  private static final SamplingEfficiency EFFICIENT =
      SamplingEfficiency.parse("sea@0.25+guidance@0-0.8+guidance-cache@0.4");

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "tier=quality | none",
        "tier=efficient | sea@0.25+guidance@0-0.8+guidance-cache@0.4",
        "TIER=Efficient cache_threshold=0.5 | sea@0.5+guidance@0-0.8+guidance-cache@0.4",
        "tier=efficient step-cache=sea | sea@0.3+guidance@0-0.8+guidance-cache@0.4",
        "tier=efficient step-cache=none | guidance@0-0.8+guidance-cache@0.4",
        "tier=efficient guidance-interval=0-1 guidance-cache-from=1 | sea@0.25",
        "step-cache=first-block | first-block@0.08",
        "step-cache=first-block cache-threshold=0 | first-block@0",
        "step-cache=mask | mask@1111110100010000100000100000",
        "step-cache=mask step-mask=101 | mask@101",
        "guidance-interval=.1-0.9 | guidance@0.1-0.9",
        "guidance-cache-from=0.5 joint-guidance=true | guidance-cache@0.5+joint-guidance",
      })
  void givenOptionsReplaceThePartsOfTheTier(String options, String expected) {
    assertThat(EfficiencyOptions.sampling(parsed(options), EFFICIENT)).hasToString(expected);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "tier=fast | option 'tier' is 'fast', but must be one of quality, efficient",
        "step-cache=tea | option 'step-cache' is 'tea', but must be one of none, first-block, sea,"
            + " mask; did you mean 'sea'?",
        "cache-threshold=-1 | option 'cache-threshold' is '-1', but must be 0 or a positive number",
        "cache-threshold=NaN | option 'cache-threshold' is 'NaN', but must be 0 or a positive"
            + " number",
        "cache-threshold=0.3 | option 'cache-threshold' has no effect on the step cache 'none';"
            + " remove it, or set 'step-cache' to sea or first-block",
        "tier=efficient step-mask=101 | option 'step-mask' has no effect on the step cache 'sea';"
            + " remove it, or set 'step-cache' to mask",
        "step-cache=mask step-mask=12 | option 'step-mask' is '12', but must be one digit for each"
            + " step, 1 to compute it and 0 to reuse the last computed one",
        "step-cache=mask cache-threshold=1 | option 'cache-threshold' has no effect on the step"
            + " cache 'mask'; remove it, or set 'step-cache' to sea or first-block",
        "guidance-interval=0.8-0.2 | option 'guidance-interval' is '0.8-0.2', but must be two"
            + " fractions of the steps, the smaller one first, such as 0-0.8",
        "guidance-interval=0.8 | option 'guidance-interval' is '0.8', but must be two fractions of"
            + " the steps, the smaller one first, such as 0-0.8",
        "guidance-cache-from=1.5 | option 'guidance-cache-from' is '1.5', but must be a fraction of"
            + " the steps from 0 to 1",
      })
  void aValueWithoutMeaningIsRefused(String options, String message) {
    assertThatThrownBy(() -> parsed(options))
        .isInstanceOf(LightmillException.class)
        .hasMessage(message)
        .extracting(e -> ((LightmillException) e).code())
        .isEqualTo(ErrorCode.CONFIGURATION_INVALID);
  }

  /** Whether an option has an effect on the tier's step cache is known with the checkpoint. */
  @Test
  void aThresholdNeedsACacheOfTheTierThatHasOne() {
    GenerationOptions options = parsed("tier=efficient cache-threshold=0.3");
    assertThatThrownBy(() -> EfficiencyOptions.sampling(options, SamplingEfficiency.NONE))
        .hasMessageStartingWith("option 'cache-threshold' has no effect on the step cache 'none'");
  }

  private static GenerationOptions parsed(String options) {
    Map<String, String> values = new LinkedHashMap<>();
    for (String option : options.split(" ", -1)) {
      String[] pair = option.split("=", 2);
      values.put(pair[0], pair[1]);
    }
    return GenerationOptions.parse(values);
  }
}
