package io.lightmill.pipeline.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelCardTest {

  @TempDir Path directory;

  @Test
  void theHeaderGivesParameters() throws IOException {
    ModelCard card =
        card(
            """
            ---
            license: apache-2.0
            inference:
              parameters:
                width: 128
                guidance_scale: 0
                true_cfg_scale: 2.5
                height:
            ---
            # Pocket
            ---
            inference: {parameters: {width: 7}}
            ---
            """);
    assertThat(card.count("width")).hasValue(128);
    assertThat(card.count("height")).isEmpty();
    assertThat(card.count("num_inference_steps")).isEmpty();
    assertThat(card.number("guidance_scale")).hasValue(0);
    assertThat(card.number("true_cfg_scale")).hasValue(2.5);
    assertThat(card.number("other")).isEmpty();
  }

  @Test
  void aCheckpointNeedsNoCard() {
    assertThat(ModelCard.of(checkpoint()).count("width")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "# No head\n",
        "---\nlicense: mit\n---\n",
        "---\n---\n",
        "---\ninference: false\n---\n",
        "---\nwidth: 3\n",
        "\n---\ninference: {parameters: {width: 7}}\n---\n"
      })
  void aCardMayGiveNoParameters(String text) throws IOException {
    assertThat(card(text).count("width")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"'128'", "1.5", "0", "-8", "[1]", "99999999999"})
  void anInvalidWidthIsNamed(String value) throws IOException {
    ModelCard card = card("---\ninference:\n  parameters:\n    width: " + value + "\n---\n");
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> card.count("width"))
        .withMessageStartingWith(directory.resolve("README.md") + " has ")
        .withMessageEndingWith(
            "for 'inference.parameters.width', which must be a whole number above 0; fix or remove"
                + " it")
        .matches(e -> e.code() == ErrorCode.CHECKPOINT_INVALID);
  }

  @ParameterizedTest
  @ValueSource(strings = {"much", "-1", "1e39", "[2]"})
  void anInvalidScaleIsNamed(String value) throws IOException {
    ModelCard card =
        card("---\ninference:\n  parameters:\n    guidance_scale: " + value + "\n---\n");
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> card.number("guidance_scale"))
        .withMessageContaining("for 'inference.parameters.guidance_scale', which must be a number");
  }

  @Test
  void aHeaderThatIsNotYamlIsNamed() {
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> card("---\na: [1\n---\n"))
        .withMessageStartingWith("the header of " + directory.resolve("README.md") + " is not YAML")
        .matches(e -> e.code() == ErrorCode.CHECKPOINT_INVALID);
  }

  private ModelCard card(String text) throws IOException {
    Files.writeString(directory.resolve("README.md"), text);
    return ModelCard.of(checkpoint());
  }

  private Checkpoint checkpoint() {
    return new Checkpoint(directory, "FluxPipeline", Map.of());
  }
}
