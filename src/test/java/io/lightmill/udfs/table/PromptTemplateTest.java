package io.lightmill.udfs.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PromptTemplateTest {

  @Test
  void fillsPlacesInOrder() {
    PromptTemplate template = PromptTemplate.parse("a {color} {product name} on {color}");

    assertThat(template.columns()).containsExactly("color", "product name", "color");
    assertThat(template.fill(List.of("red", "mug", "red"))).isEqualTo("a red mug on red");
  }

  @Test
  void doubledBracesStandForBraces() {
    PromptTemplate template = PromptTemplate.parse("{{{name}}} {{}}");

    assertThat(template.columns()).containsExactly("name");
    assertThat(template.fill(List.of("x"))).isEqualTo("{x} {}");
  }

  @Test
  void valuesAreNotTemplatesThemselves() {
    assertThat(PromptTemplate.parse("a {x}").fill(List.of("{y} }} $1"))).isEqualTo("a {y} }} $1");
  }

  @ParameterizedTest
  @ValueSource(strings = {"a {name", "a name}", "a {}", "a { }", "a {b{c}", "a } b {c}"})
  void refusesBracesThatDoNotPairUp(String template) {
    assertThatThrownBy(() -> PromptTemplate.parse(template))
        .isInstanceOfSatisfying(
            LightmillException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.CONFIGURATION_INVALID))
        .hasMessageContaining("'" + template + "'")
        .hasMessageContaining("write {column}");
  }
}
