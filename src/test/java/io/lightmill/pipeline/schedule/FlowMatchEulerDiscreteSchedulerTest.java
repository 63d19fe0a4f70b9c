package io.lightmill.pipeline.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FlowMatchEulerDiscreteSchedulerTest {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  @Test
  void anEmptyConfigHasTheDefaultsOfDiffusers() {
    assertThat(scheduler("{}"))
        .isEqualTo(
            new FlowMatchEulerDiscreteScheduler(
                1000,
                1.0,
                false,
                0.5,
                1.15,
                256,
                4096,
                false,
                OptionalDouble.empty(),
                false,
                false,
                false,
                TimeShiftType.EXPONENTIAL,
                false,
                false));
  }

  @Test
  void nullsAndAZeroTerminalShiftAreDefaults() {
    assertThat(scheduler("{'shift_terminal': null, 'base_shift': null, 'shift': null}"))
        .isEqualTo(scheduler("{}"));
    assertThat(scheduler("{'shift_terminal': 0}")).isEqualTo(scheduler("{}"));
  }

  @Test
  void everyKeyIsRead() {
    assertThat(
            scheduler(
                "{'_class_name': 'FlowMatchEulerDiscreteScheduler', 'num_train_timesteps': 500,"
                    + " 'shift': 3, 'use_dynamic_shifting': true, 'base_shift': 0.25, 'max_shift':"
                    + " 2, 'base_image_seq_len': 64, 'max_image_seq_len': 128, 'invert_sigmas':"
                    + " true, 'shift_terminal': 0.02, 'use_karras_sigmas': true, 'time_shift_type':"
                    + " 'linear', 'stochastic_sampling': true, 'use_flow_sigmas': true}"))
        .isEqualTo(
            new FlowMatchEulerDiscreteScheduler(
                500,
                3.0,
                true,
                0.25,
                2.0,
                64,
                128,
                true,
                OptionalDouble.of(0.02),
                true,
                false,
                false,
                TimeShiftType.LINEAR,
                true,
                true));
    assertThat(scheduler("{'use_exponential_sigmas': true}").useExponentialSigmas()).isTrue();
    assertThat(scheduler("{'use_beta_sigmas': true}").useBetaSigmas()).isTrue();
  }

  @Test
  void argumentsOfOtherSchedulersAreIgnoredAsInDiffusers() {
    assertThat(
            scheduler(
                "{'_class_name': 'DPMSolverMultistepScheduler', '_note': 1, 'prediction_type':"
                    + " 'flow_prediction', 'flow_shift': 9.0, 'solver_order': 2}"))
        .isEqualTo(scheduler("{}"));
  }

  /** FLUX's pipelines start from the scheduler's own sigmas then, as SD3's always do. */
  @Test
  void flowSigmasAreTheSchedulersOwn() {
    FlowMatchEulerDiscreteScheduler own =
        scheduler("{'use_flow_sigmas': true, 'use_dynamic_shifting': true}");
    Schedule expected = own.schedule(4, Optional.empty(), OptionalDouble.of(0.7));
    assertThat(own.linearOrOwn(4, 0.7).sigmas()).containsExactly(expected.sigmas());
    assertThat(own.linear(4, 0.7).sigmas()).isNotEqualTo(expected.sigmas());
    FlowMatchEulerDiscreteScheduler plain = scheduler("{'use_dynamic_shifting': true}");
    assertThat(plain.linearOrOwn(4, 0.7).sigmas()).containsExactly(plain.linear(4, 0.7).sigmas());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          {'use_karras_sigmas': true, 'use_beta_sigmas': true} | has true for 'use_beta_sigmas', which must be false where use_karras_sigmas is true
          {'use_karras_sigmas': true, 'use_exponential_sigmas': true} | 'use_exponential_sigmas', which must be false
          {'use_exponential_sigmas': true, 'use_beta_sigmas': true} | false where use_exponential_sigmas is true
          {'time_shift_type': 'cubic'} | has "cubic" for 'time_shift_type', which must be one of exponential, linear
          {'use_flow_sigmas': 'yes'} | has "yes" for 'use_flow_sigmas', which must be true or false
          {'unheard_of': 1, 'new': [2], 'none': null, 'empty': {}} | has keys that Lightmill does not know, so that they might change the image: 'unheard_of', 'new'; remove them if they do not
          {'shift': 0} | has 0 for 'shift', which must be a number above 0
          {'shift': 'much'} | has "much" for 'shift', which must be a number
          {'num_train_timesteps': 0.5} | has 0.5 for 'num_train_timesteps', which must be a whole number above 0
          {'use_dynamic_shifting': 'yes'} | has "yes" for 'use_dynamic_shifting', which must be true or false
          {'stochastic_sampling': 1} | has 1 for 'stochastic_sampling', which must be true or false
          {'shift_terminal': 1} | has 1 for 'shift_terminal', which must be a number from 0 and below 1
          {'time_shift_type': 3} | has 3 for 'time_shift_type', which must be one of exponential, linear
          {'max_image_seq_len': 256} | has 256 for 'max_image_seq_len', which must be another than base_image_seq_len, 256
          """,
      quoteCharacter = '`')
  void aConfigThatCannotBeIsRefused(String config, String message) {
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> scheduler(config))
        .withMessageStartingWith("a/scheduler/scheduler_config.json ")
        .withMessageContaining(message)
        .matches(e -> e.code() == ErrorCode.CHECKPOINT_INVALID);
  }

  /** The values of mu in the tables of the reference. */
  @ParameterizedTest
  @CsvSource({"256,0.5", "1024,0.63", "4096,1.15", "24,0.4607291666666667"})
  void muGrowsLinearlyWithTheImage(int imageTokens, double expected) {
    assertThat(scheduler("{}").mu(imageTokens)).isCloseTo(expected, within(1e-15));
  }

  @Test
  void linearSigmasEndWithTheLastStep() {
    assertThat(FlowMatchEulerDiscreteScheduler.linearSigmas(4)).containsExactly(1, 0.75, 0.5, 0.25);
    assertThat(FlowMatchEulerDiscreteScheduler.linearSigmas(1)).containsExactly(1);
  }

  @Test
  void sigmasOfTheCallerAreKept() {
    Schedule schedule =
        scheduler("{}").schedule(2, Optional.of(new double[] {0.75, 0.5}), OptionalDouble.empty());

    assertThat(schedule.numInferenceSteps()).isEqualTo(2);
    assertThat(schedule.sigmas()).containsExactly(0.75f, 0.5f, 0f);
    assertThat(schedule.timesteps()).containsExactly(750f, 500f);
  }

  @Test
  void readsTheConfigsOfTheReferenceCheckpoints() {
    assertThat(reference("flux-schnell").useDynamicShifting()).isFalse();
    assertThat(reference("flux-dev").useDynamicShifting()).isTrue();
    assertThat(reference("flux-dev").shift()).isEqualTo(3);
  }

  @Test
  void argumentsThatContradictEachOtherAreRefused() {
    FlowMatchEulerDiscreteScheduler plain = scheduler("{}");
    FlowMatchEulerDiscreteScheduler dynamic = scheduler("{'use_dynamic_shifting': true}");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> plain.schedule(0, Optional.empty(), OptionalDouble.empty()));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> plain.schedule(2, Optional.of(new double[] {1}), OptionalDouble.empty()));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> dynamic.schedule(2, Optional.empty(), OptionalDouble.empty()));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Schedule(new float[] {1}, new float[] {1000}, false));
  }

  @Test
  void aScheduleOfNoNumbersIsRefused() {
    FlowMatchEulerDiscreteScheduler stretched = scheduler("{'shift_terminal': 0.02}");
    Schedule single = stretched.schedule(1, Optional.of(new double[] {1}), OptionalDouble.empty());
    assertThat(single.sigmas()).startsWith(Float.NaN);
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(single::requireFinite)
        .withMessage(
            "num_inference_steps is 1, for which the checkpoint's scheduler has no finite sigmas"
                + " (shift_terminal needs two steps); set it to 2 or more")
        .matches(e -> e.code() == ErrorCode.VALUE_INVALID);
    Schedule two =
        stretched.schedule(2, Optional.of(new double[] {1, 0.5}), OptionalDouble.empty());
    assertThat(two.requireFinite()).isSameAs(two);
  }

  private static FlowMatchEulerDiscreteScheduler scheduler(String config) {
    try {
      JsonNode json = MAPPER.readTree(config.replace('\'', '"'));
      return FlowMatchEulerDiscreteScheduler.of(
          new ComponentConfig(Path.of("a/scheduler/scheduler_config.json"), json));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static FlowMatchEulerDiscreteScheduler reference(String model) {
    Path file =
        Path.of("src/test/resources/reference")
            .resolve(model + "/checkpoint/scheduler/scheduler_config.json");
    return FlowMatchEulerDiscreteScheduler.of(ComponentConfig.read(file));
  }
}
