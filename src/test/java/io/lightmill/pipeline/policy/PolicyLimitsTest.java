package io.lightmill.pipeline.policy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Policy files that would take all memory or time are refused with their line. */
class PolicyLimitsTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "(((a{1000}){1000}){1000}){1000}",
        "((a{0,500}b){0,500}c){0,500}",
        "((a{100,}){100,}x){3}",
        "(\\Q)\\E(a{1000}){10}){1000}",
      })
  void repetitionsOfRepetitionsAreRefused(String pattern) {
    refused(
        "categories: {a: {action: flag,\n patterns: ['%s']}}".formatted(pattern),
        "line 2, has a pattern of too many repetitions for each prompt");
  }

  @Test
  void patternsTakeLinearTime() {
    PromptPolicy policy =
        parse("categories: {a: {action: flag, patterns: ['(x+x+)+y', '(x|xx|x*)*z']}}");

    assertThat(policy.check("x".repeat(50_000), Optional.empty())).isEmpty();
    assertThat(policy.check("x".repeat(50_000) + "y", Optional.empty())).hasSize(1);
  }

  @Test
  void deepNestingIsRefused() {
    refused(
        "categories: " + "[".repeat(40), "line 1, has more than 16 levels; a policy needs five");
    refused("categories: " + "[".repeat(100_000), "line 1, has more than 16 levels");
  }

  private static PromptPolicy parse(String yaml) {
    return PromptPolicy.parse("p.yaml", yaml.getBytes(UTF_8));
  }

  private static void refused(String yaml, String message) {
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> parse(yaml))
        .withMessageStartingWith("policy p.yaml")
        .withMessageContaining(message)
        .matches(e -> e.code() == ErrorCode.POLICY_INVALID);
  }
}
