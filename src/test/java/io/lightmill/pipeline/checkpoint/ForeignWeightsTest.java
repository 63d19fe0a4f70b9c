package io.lightmill.pipeline.checkpoint;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.families.Families;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.assertj.core.api.ThrowableAssertAlternative;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Weights as other tools save them: the headers tell the cause. */
class ForeignWeightsTest {

  private static final String TRANSFORMER = "transformer/diffusion_pytorch_model";

  @TempDir Path temporary;
  private CheckpointCopy copy;

  @BeforeEach
  void copy() throws IOException {
    copy = CheckpointCopy.of("flux-schnell", temporary.resolve("checkpoint"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          absmax,quant_map,quant_state.bitsandbytes__nf4 | is quantised with bitsandbytes
          SCB                                            | is quantised with bitsandbytes
          qweight,qzeros,scales,g_idx                    | is quantised with a tool such as GPTQ or AWQ
          wscales,qweight                                | is quantised with SVDQuant (Nunchaku)
          weight_packed,weight_scale                     | is quantised with compressed-tensors
          _data,_scale                                   | is quantised with a tool such as optimum-quanto
          scale_weight                                   | has scaled weights, as tools for 8-bit floats save them
          W_q                                            | is quantised with HQQ
          """)
  void quantisedWeightsAreNamedByTheirTool(String suffixes, String cause) throws IOException {
    copy.change(
        TRANSFORMER,
        tensors -> {
          for (String name : List.copyOf(tensors.keySet())) {
            StoredBytes tensor = tensors.get(name);
            if (name.startsWith("transformer_blocks") && tensor.shape().size() == 2) {
              tensors.put(name, new StoredBytes("U8", List.of(8L, 1L), new byte[8]));
              for (String suffix : suffixes.strip().split(",", -1)) {
                tensors.put(name + "." + suffix, StoredBytes.of(new float[1], 1L));
              }
            }
          }
        });
    refusal()
        .withMessageContaining(" %s, with tensors that the network does not use: ", cause)
        .withMessageContaining(" in all); use the model's weights in F32, F16 or BF16")
        .matches(e -> e.getMessage().length() < 1200);
  }

  /** Language models may have more layers than are read, under the names of quantised ones too. */
  @Test
  void aQuantisedLanguageModelIsNamedByItsTool() throws IOException {
    CheckpointCopy klein = CheckpointCopy.of("flux2-klein", temporary.resolve("klein"));
    klein.change(
        "text_encoder/model",
        tensors -> {
          for (String name : List.copyOf(tensors.keySet())) {
            if (name.contains("_proj.weight")) {
              tensors.remove(name);
              tensors.put(
                  name.replace(".weight", ".qweight"),
                  new StoredBytes("I32", List.of(1L), new byte[4]));
            }
          }
        });
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> Families.requireComplete(Checkpoint.open(klein.directory())))
        .withMessageContaining("is quantised with a tool such as GPTQ or AWQ");
  }

  /** Scales beside floats: the names of the network alone would look sound. */
  @Test
  void scaledWeightsAreRefusedEvenIfNoneIsMissing() throws IOException {
    copy.change(
        TRANSFORMER,
        tensors -> tensors.put("x_embedder.weight_scale", StoredBytes.of(new float[1], 1L)));
    refusal().withMessageContaining("has scaled weights");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          _orig_mod.             | was saved from a compiled model (prefix '_orig_mod.')
          module.                | was saved from a model under DataParallel (prefix 'module.')
          model.diffusion_model. | has the layout of a single-file checkpoint (prefix 'model.diffusion_model.')
          my.wrapper.            | has the prefix 'my.wrapper.' before its names
          """)
  void prefixesAreNamed(String prefix, String cause) throws IOException {
    rename(name -> prefix + name);
    refusal().withMessageContaining(" %s, with tensors that the network does not use: ", cause);
  }

  @Test
  void aModelWhoseBlocksAreCompiledIsNamed() throws IOException {
    rename(name -> name.replaceFirst("(transformer_blocks\\.\\d+\\.)", "$1_orig_mod."));
    refusal().withMessageContaining("was saved from a compiled model");
  }

  @ParameterizedTest
  @CsvSource({"''", "model.diffusion_model."})
  void namesOfTheFirstReleaseAreNamed(String prefix) throws IOException {
    rename(
        name ->
            prefix
                + name.replace("single_transformer_blocks", "single_blocks")
                    .replace("transformer_blocks", "double_blocks")
                    .replace("attn", "img_attn")
                    .replace("x_embedder", "img_in"));
    refusal().withMessageContaining("has the layer names of the model's first release");
  }

  @Test
  void aListOfTensorsEndsAtTen() throws IOException {
    copy.change(TRANSFORMER, tensors -> tensors.keySet().removeIf(name -> name.contains("attn")));
    refusal()
        .withMessageContaining("lacks the weights single_transformer_blocks.0.attn.norm_k.weight, ")
        .matches(e -> e.getMessage().matches(".*, … \\(\\d\\d in all\\); fetch the .*"))
        .matches(e -> e.getMessage().length() < 1000);
  }

  @Test
  void typesThatNoNetworkComputesInAreNamed() throws IOException {
    copy.rewrite(
        TRANSFORMER,
        tensor ->
            new StoredBytes(
                "F8_E4M3",
                tensor.shape(),
                Arrays.copyOf(tensor.bytes(), tensor.bytes().length / 4)));
    refusal()
        .withMessageContaining("has tensors of type F8_E4M3, which Lightmill does not load: '")
        .withMessageContaining(" in all); use the model's weights in F32, F16 or BF16");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          GGUF then some bytes that are a version        | is a GGUF file, whose weights are quantised
          <!DOCTYPE html><html>Sign in to continue</html> | is a web page instead of weights
          """)
  void filesOfOtherFormatsAreNamed(String content, String cause) throws IOException {
    Files.write(copy.directory().resolve(TRANSFORMER + ".safetensors"), content.getBytes(UTF_8));
    refusal().withMessageContaining(cause);
  }

  @ParameterizedTest
  @CsvSource({
    "diffusion_pytorch_model.bin, has its weights as diffusion_pytorch_model.bin;",
    "flux-q4.gguf, 'has its weights as flux-q4.gguf, which are quantised'",
    "a1b2.incomplete, has downloads that were cut off: a1b2.incomplete"
  })
  void whatIsThereInsteadOfWeightsIsNamed(String name, String cause) throws IOException {
    Path weights = copy.directory().resolve(TRANSFORMER + ".safetensors");
    Files.move(weights, weights.resolveSibling(name));
    refusal().withMessageContaining(cause);
  }

  @Test
  void aDownloadThatWasCutOffIsNamed() throws IOException {
    Path file = copy.directory().resolve(TRANSFORMER + ".safetensors");
    Files.write(file, Arrays.copyOf(Files.readAllBytes(file), 30_000));
    refusal().withMessageContaining("ends at byte 30000").withMessageContaining("was cut off");
  }

  private void rename(UnaryOperator<String> rename) throws IOException {
    copy.change(
        TRANSFORMER,
        tensors -> {
          Map<String, StoredBytes> renamed = new TreeMap<>();
          tensors.forEach((name, tensor) -> renamed.put(rename.apply(name), tensor));
          tensors.clear();
          tensors.putAll(renamed);
        });
  }

  private ThrowableAssertAlternative<LightmillException> refusal() {
    return assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> Families.requireComplete(Checkpoint.open(copy.directory())))
        .withMessageStartingWith(copy.directory().resolve("transformer").toString())
        .matches(e -> e.code() == ErrorCode.WEIGHTS_INVALID);
  }
}
