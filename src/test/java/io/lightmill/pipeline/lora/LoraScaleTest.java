package io.lightmill.pipeline.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ReferenceCheckpoint;
import io.lightmill.pipeline.families.Families;
import io.lightmill.pipeline.lora.DraftedLora.Rows;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How strongly adapters count whose config PEFT saved beside them: alpha by rank, as in PEFT. */
class LoraScaleTest {

  private static final String QUERY = "transformer_blocks.1.attn.to_q";
  private static final String VALUE = "transformer_blocks.0.attn.to_v";

  @TempDir Path directory;

  private LoraAdapter open() {
    return Families.adapter(Checkpoint.open(ReferenceCheckpoint.of("flux-dev")), directory);
  }

  private Path save(Map<String, String> metadata) throws IOException {
    return new DraftedLora(1)
        .peft("base_model.model." + QUERY, 32, 4, Rows.of(QUERY, 32))
        .peft("base_model.model." + VALUE, 32, 2, Rows.of(VALUE, 32))
        .save(directory.resolve("adapter_model.safetensors"), metadata);
  }

  private void config(String json) throws IOException {
    Files.writeString(directory.resolve("adapter_config.json"), json);
  }

  private static double scale(LoraAdapter adapter, String layer) {
    return adapter.layers().stream()
        .filter(each -> each.layer().equals(layer))
        .mapToDouble(LoraLayer::scale)
        .findFirst()
        .orElseThrow();
  }

  @Test
  void theAlphasOfTheConfigBesideTheFileCount() throws IOException {
    save(Map.of());
    String plain = open().digest();
    config(
        "{\"r\": 4, \"lora_alpha\": 10, \"alpha_pattern\": {\"0.attn.to_v\": 3}, \"bias\":"
            + " \"none\"}");
    LoraAdapter adapter = open();
    assertThat(scale(adapter, QUERY)).isEqualTo(10.0 / 4);
    assertThat(scale(adapter, VALUE)).isEqualTo(3.0 / 2);
    assertThat(adapter.digest()).as("names other pictures").isNotEqualTo(plain);
    config("{\"r\": 4, \"lora_alpha\": 10, \"use_rslora\": true}");
    assertThat(scale(open(), QUERY)).isEqualTo(10 / Math.sqrt(4));
  }

  @Test
  void theFilesOwnMetadataComesFirst() throws IOException {
    save(Map.of("lora_adapter_metadata", "{\"transformer.lora_alpha\": 6}"));
    config("{\"lora_alpha\": 10}");
    assertThat(scale(open(), QUERY)).isEqualTo(6.0 / 4);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"use_dora\": true | asks for DoRA ('use_dora')",
        "\"bias\": \"all\" | asks for biases ('bias' or 'lora_bias')",
        "\"lora_bias\": true | asks for biases ('bias' or 'lora_bias')",
        "\"init_lora_weights\": \"pissa_niter_4\" | says 'pissa_niter_4' for 'init_lora_weights'"
      })
  void whatIsMoreThanLowRankIsRefusedByName(String setting, String words) throws IOException {
    save(Map.of());
    config("{" + setting + "}");
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(this::open)
        .matches(e -> e.code() == ErrorCode.WEIGHTS_INVALID)
        .withMessageContaining("its adapter_config.json " + words);
  }
}
