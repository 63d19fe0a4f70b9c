package io.lightmill.udfs.column;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ColumnTemplateTest {

  private static ColumnTemplate parse(String template) {
    return ColumnTemplate.parse("prompt template", template);
  }

  @Test
  void fillsPlacesInOrder() {
    ColumnTemplate template = parse("a {color} {product name} on {color}");

    assertThat(template.columns()).containsExactly("color", "product name", "color");
    assertThat(template.fill(List.of("red", "mug", "red"))).isEqualTo("a red mug on red");
  }

  @Test
  void doubledBracesStandForBraces() {
    ColumnTemplate template = parse("{{{name}}} {{}}");

    assertThat(template.columns()).containsExactly("name");
    assertThat(template.fill(List.of("x"))).isEqualTo("{x} {}");
  }

  @Test
  void valuesAreNotTemplatesThemselves() {
    assertThat(parse("a {x}").fill(List.of("{y} }} $1"))).isEqualTo("a {y} }} $1");
  }

  @Test
  void aNumberAfterAColonLimitsTheCharactersOfTheValue() {
    ColumnTemplate template = parse("{name:2}/{name}-{og:title}");

    assertThat(template.columns()).containsExactly("name", "name", "og:title");
    assertThat(template.fill(List.of("☕👩x", "☕", "t"))).isEqualTo("☕👩/☕-t");
    assertThat(template.fill(List.of("", "", ""))).isEqualTo("/-");
  }

  @ParameterizedTest
  @ValueSource(strings = {"a {name", "a name}", "a {}", "a { }", "a {b{c}", "a } b {c}"})
  void refusesBracesThatDoNotPairUp(String template) {
    assertThatThrownBy(() -> parse(template))
        .isInstanceOfSatisfying(
            LightmillException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.CONFIGURATION_INVALID))
        .hasMessageStartingWith("prompt template '" + template + "' has a ")
        .hasMessageContaining("write {column}");
  }
}
