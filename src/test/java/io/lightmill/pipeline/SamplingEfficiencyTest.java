package io.lightmill.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SamplingEfficiencyTest {

  @ParameterizedTest
  @CsvSource({
    "none, none",
    "sea, sea@0.3",
    "sea@0.30, sea@0.3",
    "sea@0, sea@0",
    "first-block, first-block@0.08",
    "mask, mask@1111110100010000100000100000",
    "mask@101, mask@101",
    "guidance-cache@1, none",
    "guidance@0-1, none",
    "' guidance@.25-0.75 + sea@1e-1 + joint-guidance + guidance-cache@0.5 ',"
        + " sea@0.1+guidance@0.25-0.75+guidance-cache@0.5+joint-guidance"
  })
  void textIsReadAndWrittenInOneForm(String text, String canonical) {
    SamplingEfficiency read = SamplingEfficiency.parse(text);
    assertThat(read).hasToString(canonical);
    assertThat(SamplingEfficiency.parse(read.toString())).isEqualTo(read);
    assertThat(read.isNone()).isEqualTo(canonical.equals("none"));
  }

  @ParameterizedTest
  @CsvSource({
    "fast, cannot be read at 'fast'; join parts such as sea@0.3",
    "sea@much, cannot be read at 'sea'",
    "none@1, cannot be read at 'none'",
    "guidance@0.5, cannot be read at 'guidance'",
    "guidance-cache, cannot be read at 'guidance-cache'",
    "joint-guidance@1, cannot be read at 'joint-guidance'",
    "sea+, cannot be read at ''",
    "sea+first-block, gives 'first-block' twice",
    "guidance@0-1+guidance@0-1, gives 'guidance' twice",
    "sea@-1, the threshold of the step cache is -1.0; set it to 0 or a positive number",
    "sea@NaN, the threshold of the step cache is NaN",
    "mask@102, the step mask is '102'; write one digit for each step",
    "guidance@0.8-0.2, the guidance interval is 0.8-0.2; give two fractions of the steps",
    "guidance@0-1.5, the guidance interval is 0-1.5",
    "guidance-cache@2, the guidance cache starts at 2; give a fraction of the steps",
  })
  void aBadPartIsNamed(String text, String message) {
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> SamplingEfficiency.parse(text))
        .withMessageContaining(message)
        .matches(e -> e.code() == ErrorCode.VALUE_INVALID);
  }

  /** A mask for 4 steps over 8: each digit decides two steps, and the ends are computed. */
  @ParameterizedTest
  @CsvSource({"0100, 4, 1101", "0100, 8, 10110001", "0, 3, 101", "01, 1, 1", "0101, 2, 11"})
  void aMaskIsStretchedOverTheSteps(String mask, int steps, String computed) {
    StepCaching caching = new StepCaching(StepCaching.Method.MASK, 0, mask);
    assertThat(
            IntStream.range(0, steps)
                .mapToObj(step -> caching.masksIn(step, steps) ? "1" : "0")
                .collect(Collectors.joining()))
        .isEqualTo(computed);
  }

  @Test
  void fractionsNameStepsAsInDiffusersGuiders() {
    SamplingEfficiency half = SamplingEfficiency.parse("guidance@0.3-0.8+guidance-cache@0.5");
    assertThat(IntStream.range(0, 7).filter(step -> half.guidesAt(step, 7)))
        .containsExactly(2, 3, 4);
    assertThat(IntStream.range(0, 7).filter(step -> half.cachesGuidanceAt(step, 7)))
        .containsExactly(3, 4, 5, 6);
    assertThat(IntStream.range(0, 7).filter(step -> SamplingEfficiency.NONE.guidesAt(step, 7)))
        .hasSize(7);
    assertThat(
            IntStream.range(0, 7).filter(step -> SamplingEfficiency.NONE.cachesGuidanceAt(step, 7)))
        .isEmpty();
  }
}
