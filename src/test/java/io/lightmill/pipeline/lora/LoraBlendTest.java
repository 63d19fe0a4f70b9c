package io.lightmill.pipeline.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.LoraBlend;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LoraBlendTest {

  @ParameterizedTest
  @CsvSource({
    "brand, brand@1",
    "brand@0.80, brand@0.8",
    "' style@.5 + brand@2 ', brand@2+style@0.5",
    "b@-1.50+a-2_c.d@100, a-2_c.d@100+b@-1.5",
    "brand@0+style@0.000, ''",
    "none, ''",
    "'  ', ''"
  })
  void equalBlendsHaveOneForm(String text, String form) {
    LoraBlend blend = LoraBlend.parse(text);
    assertThat(blend).hasToString(form).isEqualTo(LoraBlend.parse(form));
    assertThat(blend.isEmpty()).isEqualTo(form.isEmpty());
  }

  @ParameterizedTest
  @CsvSource({"brand@", "@1", "brand@x", "brand@1e2", "a++b", "a b", "brand@0.5@1", "+brand", "é"})
  void whatIsNoBlendIsRefused(String text) {
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> LoraBlend.parse(text))
        .withMessage(
            "lora '%s' is not made of names and weights; write it as 'brand@0.8+style@0.5'", text)
        .matches(e -> e.code() == ErrorCode.VALUE_INVALID);
  }

  @Test
  void anAdapterHasOneWeight() {
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> LoraBlend.parse("a@0.5+b+a@0.5"))
        .withMessage("lora 'a@0.5+b+a@0.5' names 'a' twice; give it one weight");
  }
}
