package io.lightmill.pipeline.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ReferenceCheckpoint;
import io.lightmill.pipeline.checkpoint.StoredBytes;
import io.lightmill.pipeline.families.Families;
import io.lightmill.pipeline.lora.DraftedLora.Rows;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.commons.codec.binary.Hex;
import org.apache.commons.codec.digest.DigestUtils;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which adapters fit a checkpoint. */
class LoraAdapterTest {

  private static final String QUERY = "transformer_blocks.1.attn.to_q";

  @TempDir Path directory;

  private LoraAdapter open(Path file) {
    return Families.adapter(Checkpoint.open(ReferenceCheckpoint.of("flux-dev")), file);
  }

  private static DraftedLora sound() {
    return new DraftedLora(1).peft("transformer." + QUERY, 32, 4, Rows.of(QUERY, 32));
  }

  @Test
  void theDigestIsThatOfTheFile() throws IOException {
    Path file = sound().save(directory.resolve("a.safetensors"));
    LoraAdapter adapter = open(file);
    assertThat(adapter.digest()).isEqualTo(DigestUtils.sha256Hex(Files.readAllBytes(file)));
    assertThat(adapter.layers()).extracting(LoraLayer::layer).containsExactly(QUERY);
  }

  @Test
  void everythingThatDoesNotFitIsNamedAtOnce() throws IOException {
    DraftedLora lora = sound();
    Map<String, StoredBytes> tensors = lora.tensors();
    String block = "transformer.transformer_blocks.0.attn.";
    tensors.put("transformer.proj_out.diff", matrix(4, 4));
    tensors.put(block + "to_k.lora_A.weight", matrix(4, 32));
    tensors.put(block + "to_v.lora_B.weight", matrix(32, 4));
    tensors.put(block + "to_q.lora_A.weight", matrix(4, 32));
    tensors.put(block + "to_q.lora_B.weight", matrix(32, 5));
    tensors.put(block + "to_z.lora_A.weight", matrix(4, 32));
    tensors.put(block + "to_z.lora_B.weight", matrix(32, 4));
    tensors.put("lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight", matrix(4, 32));
    tensors.put("lora_unet_double_blocks_0_img_attn_qkv.lora_up.weight", matrix(95, 4));
    tensors.put("lora_unet_img_in.lora_down.weight", matrix(4, 63));
    tensors.put("lora_unet_img_in.lora_up.weight", matrix(32, 4));
    tensors.put("lora_unet_img_out.alpha", StoredBytes.of(new float[] {1}));
    Path file = lora.save(directory.resolve("brand.safetensors"));
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> open(file))
        .matches(e -> e.code() == ErrorCode.WEIGHTS_INVALID)
        .withMessageStartingWith("the adapter " + file + " does not fit this FluxPipeline: ")
        .withMessageContaining(
            "it is an adapter of another kind, whole differences of weights:"
                + " 'transformer.proj_out.diff'")
        .withMessageContaining("'" + block + "to_k.lora_A.weight' has no up matrix (lora_B)")
        .withMessageContaining("'" + block + "to_v.lora_B.weight' has no down matrix (lora_A)")
        .withMessageContaining(
            "'%sto_q.lora_A.weight' of shape [4, 32] and '%sto_q.lora_B.weight' of shape [32, 5]"
                .formatted(block, block))
        .withMessageContaining("do not share a rank")
        .withMessageContaining(
            "'%sto_z.lora_A.weight' and '%sto_z.lora_B.weight' belong to no layer"
                .formatted(block, block))
        .withMessageContaining(
            "'lora_unet_double_blocks_0_img_attn_qkv.lora_up.weight' of shape [95, 4] writes 95"
                + " channels where 'transformer_blocks.0.attn.to_q',"
                + " 'transformer_blocks.0.attn.to_k', 'transformer_blocks.0.attn.to_v' write 96")
        .withMessageContaining(
            "'lora_unet_img_in.lora_down.weight' of shape [4, 63] reads 63 channels where"
                + " 'x_embedder' reads 64")
        .withMessageContaining("'lora_unet_img_out.alpha' belongs to no matrices")
        .withMessageEndingWith("; take one that was trained on this model");
  }

  @Test
  void anAdapterOfAnotherModelIsRefused() throws IOException {
    DraftedLora lora =
        new DraftedLora(1)
            .kohya("lora_unet_down_blocks_0_attentions_0_proj_in", 32, 4, 4, Rows.of("x", 32));
    Path file = lora.save(directory.resolve("sd15.safetensors"));
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> open(file))
        .withMessageContaining("'lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight'")
        .withMessageContaining("belong to no layer of this checkpoint");
  }

  @Test
  void whatIsMoreThanLowRankIsRefused() throws IOException {
    Path file =
        sound()
            .save(
                directory.resolve("dora.safetensors"),
                Map.of("lora_adapter_metadata", "{\"transformer.use_dora\": true}"));
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> open(file))
        .withMessageContaining("its metadata asks for DoRA");
    Path broken =
        sound().save(directory.resolve("b.safetensors"), Map.of("lora_adapter_metadata", "{\"a\""));
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> open(broken))
        .withMessageContaining("its metadata 'lora_adapter_metadata' is not JSON");
  }

  /** Tools save alpha as a number of any type, of no dimension or of one. */
  @ParameterizedTest
  @CsvSource({
    "U8, 06",
    "I8, 06",
    "I16, 0600",
    "I32, 06000000",
    "I64, 0600000000000000",
    "F16, 0046",
    "BF16, c040",
    "F32, 0000c040",
    "F64, 0000000000001840"
  })
  void alphaIsANumberOfAnyType(String dtype, String bytes) throws Exception {
    for (List<Long> shape : List.of(List.<Long>of(), List.of(1L))) {
      DraftedLora lora = sound();
      lora.tensors()
          .put(
              "transformer." + QUERY + ".alpha",
              new StoredBytes(dtype, shape, Hex.decodeHex(bytes)));
      LoraAdapter adapter = open(lora.save(directory.resolve("a.safetensors")));
      assertThat(adapter.layers()).extracting(LoraLayer::scale).containsExactly(6.0 / 4);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "transformer.",
        "diffusion_model.",
        "base_model.model.",
        "model.diffusion_model.",
        ""
      })
  void prefixesOfAllToolsAreRead(String prefix) throws IOException {
    Path file =
        new DraftedLora(1)
            .peft(prefix + QUERY, 32, 4, Rows.of(QUERY, 32))
            .save(directory.resolve("a.safetensors"));
    assertThat(open(file).layers()).extracting(LoraLayer::layer).containsExactly(QUERY);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          transformer.a.dora_scale                              | DoRA
          base_model.model.a.lora_magnitude_vector.weight       | DoRA
          lora_unet_a.hada_w1_a                                 | LoHa
          lora_unet_a.lokr_w1                                   | LoKr
          lora_unet_a.lora_mid.weight                           | LoCon
          transformer.a.oft_blocks                              | OFT
          transformer.a.lora_B.bias                             | biases
          double_blocks.0.processor.qkv_lora1.down.weight       | XLabs
          transformer.a.lora_A.weight.absmax                    | quantised
          """)
  void otherKindsOfAdaptersAreRefusedByName(String tensor, String kind) throws IOException {
    DraftedLora lora = sound();
    for (int i = 0; i < 12; i++) {
      lora.tensors().put(tensor.replaceFirst("a|0", "b" + i), matrix(1, 1));
    }
    Path file = lora.save(directory.resolve("a.safetensors"));
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> open(file))
        .withMessageContaining("it is an adapter of another kind, ")
        .withMessageContaining(kind)
        .withMessageContaining("… (12 in all)");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          {"transformer.peft_type": "LOKR"}          | says 'LOKR' for 'peft_type'
          {"transformer.layer_replication": [[0,4]]} | keys that Lightmill does not know, so that they might change the image: 'layer_replication'
          {"transformer.fan_in_fan_out": true}       | might change the image: 'fan_in_fan_out'
          """)
  void keysOfPeftThatAreNotKnownAreRefusedByName(String json, String message) throws IOException {
    Path file =
        sound().save(directory.resolve("a.safetensors"), Map.of("lora_adapter_metadata", json));
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> open(file))
        .withMessageContaining("its metadata ")
        .withMessageContaining(message);
  }

  @Test
  void keysOfPeftWithoutEffectAreRead() throws IOException {
    Path file =
        sound()
            .save(
                directory.resolve("a.safetensors"),
                Map.of(
                    "lora_adapter_metadata",
                    "{\"transformer.r\": 4, \"transformer.lora_alpha\": 2,"
                        + " \"transformer.lora_dropout\": 0.1, \"transformer.fan_in_fan_out\":"
                        + " false, \"transformer.peft_type\": \"LORA\","
                        + " \"transformer.layer_replication\": null}"));
    assertThat(open(file).layers()).extracting(LoraLayer::scale).containsExactly(2.0 / 4);
  }

  @Test
  void anEmptyFileAndAMissingOneAreRefused() throws IOException {
    Path empty = StoredBytes.write(directory.resolve("empty.safetensors"), Map.of());
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> open(empty))
        .withMessageContaining("it holds no tensors");
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> open(directory))
        .withMessageStartingWith(
            directory.resolve("pytorch_lora_weights.safetensors") + " cannot be read");
  }

  private static StoredBytes matrix(long rows, long columns) {
    return StoredBytes.of(new float[(int) (rows * columns)], rows, columns);
  }
}
