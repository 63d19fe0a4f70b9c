package io.lightmill.pipeline.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.families.Families;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import org.apache.commons.io.file.PathUtils;
import org.assertj.core.api.ThrowableAssertAlternative;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CheckpointTest {

  @TempDir Path temporary;
  private Path directory;

  @BeforeEach
  void copy() throws IOException {
    directory = ReferenceCheckpoint.copy("flux-schnell", temporary.resolve("checkpoint"));
  }

  @Test
  void theIndexListsTheComponents() {
    Checkpoint checkpoint = Checkpoint.open(directory);
    assertThat(checkpoint.pipelineClass()).isEqualTo("FluxPipeline");
    assertThat(checkpoint.components())
        .isEqualTo(
            Set.of(
                "scheduler",
                "text_encoder",
                "text_encoder_2",
                "tokenizer",
                "tokenizer_2",
                "transformer",
                "vae"));
    assertThat(checkpoint.config("scheduler").source().name())
        .isEqualTo(directory.resolve("scheduler/scheduler_config.json").toString());
    assertThat(checkpoint.weights("vae").files()).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"scheduler", "tokenizer_2", "transformer", "vae"})
  void aMissingComponentIsNamed(String component) throws IOException {
    PathUtils.deleteDirectory(directory.resolve(component));
    refusal(directory)
        .withMessage(
            "the checkpoint %s lacks its component '%s'; fetch the whole checkpoint"
                .formatted(directory, component));
  }

  @Test
  void aComponentThatTheIndexOmitsIsReportedWhenItIsRequired() throws IOException {
    index("{'_class_name': 'FluxPipeline', 'vae': [null, null], 'scheduler': ['a', 'b']}");
    Checkpoint checkpoint = Checkpoint.open(directory);
    assertThat(checkpoint.components()).containsExactly("scheduler");
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> checkpoint.component("vae"))
        .withMessageContaining("lacks its component 'vae'");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          transformer/config.json                            | CHECKPOINT_INVALID | has none of [config.json
          scheduler/scheduler_config.json                    | CHECKPOINT_INVALID | scheduler has none of
          tokenizer/vocab.json                               | CHECKPOINT_INVALID | vocab.json
          tokenizer_2/tokenizer.json                         | NONE               |
          vae/diffusion_pytorch_model.safetensors            | WEIGHTS_INVALID    | vae has no safetensors weights
          """)
  void aMissingFileIsNamed(String file, String code, String message) throws IOException {
    Files.delete(directory.resolve(file));
    if (code.equals("NONE")) { // spiece.model replaces it
      load();
    } else {
      assertThatExceptionOfType(LightmillException.class)
          .isThrownBy(this::load)
          .withMessageContaining(message)
          .matches(e -> e.code().name().equals(code));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "model_index.json",
        "scheduler/scheduler_config.json",
        "text_encoder/config.json",
        "text_encoder_2/config.json",
        "transformer/config.json",
        "vae/config.json"
      })
  void aDamagedConfigIsNamed(String name) throws IOException {
    Path file = directory.resolve(name);
    String text = Files.readString(file);
    for (String damaged :
        new String[] {"", "[]", text.substring(0, text.length() / 2), text + "}", "{'a': 1}"}) {
      Files.writeString(file, damaged);
      assertThatExceptionOfType(LightmillException.class)
          .isThrownBy(this::load)
          .withMessageStartingWith(file.toString())
          .withMessageEndingWith("fix it or fetch the checkpoint again")
          .matches(e -> e.code() == ErrorCode.CHECKPOINT_INVALID);
    }
  }

  @Test
  void anUnknownPipelineIsRefusedWithTheKnownOnes() throws IOException {
    index("{'_class_name': 'StableCascadePipeline', 'vae': ['diffusers', 'AutoencoderKL']}");
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(this::load)
        .withMessageStartingWith(
            "the checkpoint %s is a StableCascadePipeline; Lightmill runs Flux"
                .formatted(directory))
        .matches(e -> e.code() == ErrorCode.PIPELINE_UNKNOWN);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          {}                                                         | lacks '_class_name'
          {'_class_name': 3}                                         | has 3 for '_class_name'
          {'_class_name': 'FluxPipeline', '../vae': ['a', 'b']}      | under a name of letters, digits
          """,
      quoteCharacter = '`')
  void anIndexOfSomethingElseIsRefused(String json, String message) throws IOException {
    index(json);
    refusal(directory).withMessageContaining(message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"model.pt", "model.ckpt", "model.safetensors", "model.bin"})
  void aSingleFileIsRefused(String name) throws IOException {
    Path file = Files.createFile(temporary.resolve(name));
    refusal(file)
        .withMessage(
            "the checkpoint "
                + file
                + " is a file, but a checkpoint is a directory in diffusers' layout:"
                + " model_index.json and a directory with config and safetensors for each"
                + " component. Pickles (.ckpt, .pt, .pth, .bin) and TorchScript archives are"
                + " refused because they can run code when they are loaded; a single .safetensors"
                + " file lacks the configs.");
  }

  @Test
  void aDirectoryWithoutAnIndexIsRefused() {
    refusal(directory.resolve("vae"))
        .withMessageStartingWith(
            "the checkpoint %s has no model_index.json, but a checkpoint is"
                .formatted(directory.resolve("vae")));
    refusal(directory.resolve("nowhere"))
        .withMessageStartingWith("the checkpoint %s does not exist", directory.resolve("nowhere"));
  }

  @Test
  void theDigestDependsOnTheContentAndNotOnThePath() throws IOException {
    String digest = digest();
    assertThat(digest).matches("[0-9a-f]{64}");
    assertThat(Checkpoint.open(ReferenceCheckpoint.of("flux-schnell")).digest()).isEqualTo(digest);
    Files.writeString(directory.resolve("README.md"), "A card");
    Files.writeString(directory.resolve("vae/notes.md"), "Notes");
    Files.createDirectories(directory.resolve("samples"));
    Files.writeString(directory.resolve("samples/one.json"), "{}");
    assertThat(digest()).isEqualTo(digest);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "model_index.json",
        "transformer/diffusion_pytorch_model.safetensors",
        "vae/config.json",
        "tokenizer/merges.txt",
        "tokenizer_2/spiece.model"
      })
  void everyByteChangesTheDigest(String name) throws IOException {
    String digest = digest();
    Path file = directory.resolve(name);
    byte[] bytes = Files.readAllBytes(file);
    if (name.equals("model_index.json")) { // must stay valid JSON
      bytes = Arrays.copyOf(bytes, bytes.length + 1);
      bytes[bytes.length - 1] = ' ';
    } else {
      bytes[bytes.length - 2] ^= 1;
    }
    Files.write(file, bytes);
    assertThat(digest()).isNotEqualTo(digest);
  }

  @Test
  void theDigestCoversFileNames() throws IOException {
    String digest = digest();
    Path vocabulary = directory.resolve("tokenizer/vocab.json");
    Files.move(vocabulary, vocabulary.resolveSibling("vocab2.json"));
    assertThat(digest()).isNotEqualTo(digest);
  }

  private String digest() {
    return Checkpoint.open(directory).digest();
  }

  private void index(String json) throws IOException {
    Files.writeString(directory.resolve("model_index.json"), json.replace('\'', '"'));
  }

  private void load() {
    Families.load(Checkpoint.open(directory), Device.CPU, DType.F32).close();
  }

  private static ThrowableAssertAlternative<LightmillException> refusal(Path path) {
    return assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> Checkpoint.open(path))
        .matches(e -> e.code() == ErrorCode.CHECKPOINT_INVALID);
  }
}
