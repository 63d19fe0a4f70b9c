package io.lightmill.pipeline.families;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.CheckpointCopy;
import io.lightmill.pipeline.checkpoint.ReferenceCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssertAlternative;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Keys and classes in the configs of all families' checkpoints. */
class ConfigKeysTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<String> LAYERS =
      List.of(
          "num_layers",
          "num_single_layers",
          "num_hidden_layers",
          "n_layers",
          "n_refiner_layers",
          "layers_per_block",
          "num_res_blocks");

  @TempDir Path temporary;

  @ParameterizedTest
  @ValueSource(strings = {"flux-dev", "flux-schnell", "flux2-klein", "qwenimage", "sd3", "zimage"})
  void everyConfigRefusesAKeyThatIsNotKnown(String model) throws IOException {
    Path directory = copy(model);
    for (Path config : configs(directory)) {
      byte[] before = Files.readAllBytes(config);
      change(config, json -> json.put("unheard_of", 1));
      refusal(directory)
          .withMessage(
              "%s has keys that Lightmill does not know, so that they might change the image:"
                  + " 'unheard_of'; remove them if they do not",
              config)
          .matches(e -> e.code() == ErrorCode.CHECKPOINT_INVALID);
      change(config, json -> json.putNull("unheard_of").put("_note", 1).putObject("empty"));
      open(directory);
      Files.write(config, before);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"flux-dev", "flux2-klein", "qwenimage", "sd3", "zimage"})
  void moreLayersThanTensorsAreRefusedBeforeAnythingIsAllocated(String model) throws IOException {
    Path directory = copy(model);
    int refused = 0;
    for (Path config : configs(directory)) {
      byte[] before = Files.readAllBytes(config);
      for (String key : LAYERS) {
        if (JSON.readTree(before).has(key)) {
          change(config, json -> layers(json).put(key, 2_000_000_000));
          refusal(directory)
              .withMessageContaining(config.toString())
              .withMessageContaining("has 2000000000 for '")
              .withMessageContaining(key + "', which must be at most ")
              .withMessageContaining(", the number of tensors in the weights");
          Files.write(config, before);
          refused++;
        }
      }
    }
    assertThat(refused).isGreaterThan(2);
  }

  private static ObjectNode layers(ObjectNode json) {
    return json.has("text_config") ? (ObjectNode) json.get("text_config") : json;
  }

  @Test
  void headsWithoutNumberAreRefused() throws IOException {
    CheckpointCopy copy = CheckpointCopy.of("flux-dev", temporary.resolve("checkpoint"));
    copy.config("transformer", config -> config.put("num_attention_heads", 2_000_000_000));
    refusal(copy.directory()).withMessageContaining("must be at most 65536 heads of 16 channels");
  }

  @ParameterizedTest
  @ValueSource(strings = {"flux-dev", "flux2-klein", "qwenimage", "sd3", "zimage"})
  void theIndexDecidesTheClassOfEachComponent(String model) throws IOException {
    Path directory = copy(model);
    Path index = directory.resolve("model_index.json");
    byte[] before = Files.readAllBytes(index);
    for (String component : Checkpoint.open(directory).components()) {
      change(index, json -> json.putArray(component).add("diffusers").add("OtherModel"));
      refusal(directory)
          .withMessageStartingWith(
              "%s has the class OtherModel of diffusers for the component '%s'", index, component)
          .matches(e -> e.code() == ErrorCode.CHECKPOINT_INVALID);
      Files.write(index, before);
    }
    Files.createDirectory(directory.resolve("safety_checker"));
    change(index, json -> json.putArray("safety_checker").add("other").add("Checker"));
    refusal(directory).withMessageContaining("'safety_checker'").withMessageContaining("runs none");
    Files.write(index, before);
    for (Path config : configs(directory)) {
      if (config.getParent() != null && !config.equals(index)) {
        change(config, json -> json.put("_class_name", "FlowMatchHeunDiscreteScheduler"));
      }
    }
    open(directory);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          flux-dev    | text_encoder   | model_type        | "bert"                 | one of clip_text_model, clip
          flux-dev    | transformer    | _use_default_values | ["num_layers"]       | without the keys whose values are to be used: num_layers
          flux-dev    | text_encoder_2 | is_decoder        | true                   | must be false
          flux-dev    | text_encoder_2 | is_gated_act      | false                  | must be true
          flux-dev    | text_encoder_2 | dense_act_fn      | "gelu"                 | one of gelu_new
          flux-dev    | vae            | up_block_types    | ["UpDecoderBlock2D"]   | as long as block_out_channels
          flux2-klein | vae            | patch_size        | [1, 1]                 | must be [2, 2]
          flux2-klein | text_encoder   | layer_types       | ["sliding_attention"]  | full_attention alone
          flux2-klein | text_encoder   | use_sliding_window | true                  | must be false
          qwenimage   | vae            | attn_scales       | [0.5]                  | must be empty
          qwenimage   | transformer    | zero_cond_t       | true                   | must be false
          zimage      | transformer    | siglip_feat_dim   | 1152                   | might change the image: 'siglip_feat_dim'
          flux-dev    | tokenizer      | split_special_tokens | true                | must be false
          flux-dev    | tokenizer_2    | add_prefix_space  | false                  | must be true
          zimage      | tokenizer      | add_prefix_space  | true                   | must be false
          zimage      | tokenizer      | extra_ids         | 2000000000             | at most 10000
          """)
  void valuesThatWouldChangeTheImageAreRefused(
      String model, String component, String key, String value, String message) throws IOException {
    Path directory = copy(model);
    boolean tokenizer = component.startsWith("tokenizer");
    Path config =
        directory.resolve(component).resolve(tokenizer ? "tokenizer_config.json" : "config.json");
    change(config, json -> json.set(key, JSON.readTree(value)));
    refusal(directory)
        .withMessageStartingWith(config.toString())
        .withMessageContaining("'" + key + "'")
        .withMessageContaining(message);
  }

  /** FLUX.2's latents are normalised by statistics alone, whatever its config says. */
  @Test
  void keysWithoutEffectInAClassAreNotRead() throws IOException {
    CheckpointCopy copy = CheckpointCopy.of("flux2-klein", temporary.resolve("checkpoint"));
    copy.config("vae", config -> config.put("scaling_factor", 0.5).put("shift_factor", 3));
    copy.config("transformer", config -> config.put("guidance_embeds", true));
    open(copy.directory());
  }

  @Test
  void aQuantisedConfigNamesItsTool() throws IOException {
    CheckpointCopy copy = CheckpointCopy.of("flux-dev", temporary.resolve("checkpoint"));
    copy.config(
        "transformer",
        config -> config.putObject("quantization_config").put("quant_method", "bitsandbytes"));
    refusal(copy.directory()).withMessageContaining("weights that are quantised with bitsandbytes");
  }

  /** What releases of transformers write into configs beside what the networks read. */
  @Test
  void keysOfOlderAndNewerReleasesAreKnown() throws IOException {
    CheckpointCopy copy = CheckpointCopy.of("flux-dev", temporary.resolve("checkpoint"));
    for (String encoder : List.of("text_encoder", "text_encoder_2")) {
      copy.config(
          encoder,
          config ->
              config
                  .put("_name_or_path", "openai/clip-vit-large-patch14")
                  .put("add_cross_attention", false)
                  .put("dropout", 0.0)
                  .put("decoder_start_token_id", 0)
                  .put("output_past", true)
                  .put("return_dict", true)
                  .put("temperature", 1.0)
                  .put("dtype", "bfloat16")
                  .put("is_decoder", false)
                  .putObject("id2label")
                  .put("0", "LABEL_0"));
    }
    open(copy.directory());
  }

  private Path copy(String model) throws IOException {
    return ReferenceCheckpoint.copy(model, temporary.resolve("checkpoint"));
  }

  /** The configs that decide the image; of tokenizers only those that exist. */
  private static List<Path> configs(Path directory) throws IOException {
    List<Path> configs = new ArrayList<>();
    try (Stream<Path> files = Files.walk(directory)) {
      files
          .filter(
              file ->
                  file.getFileName()
                      .toString()
                      .matches("(scheduler_|tokenizer_)?config\\.json|model_index\\.json"))
          .forEach(configs::add);
    }
    assertThat(configs).hasSizeGreaterThanOrEqualTo(6);
    return configs;
  }

  private static void change(Path file, CheckpointCopy.Change<ObjectNode> change)
      throws IOException {
    JsonNode json = JSON.readTree(file.toFile());
    change.to((ObjectNode) json);
    JSON.writeValue(file.toFile(), json);
  }

  /** What planning reads of a checkpoint. */
  private static void open(Path directory) {
    Checkpoint checkpoint = Checkpoint.open(directory);
    Families.limits(checkpoint);
    Families.promptLength(checkpoint).close();
    Families.requireComplete(checkpoint);
  }

  private static ThrowableAssertAlternative<LightmillException> refusal(Path directory) {
    return assertThatExceptionOfType(LightmillException.class).isThrownBy(() -> open(directory));
  }
}
