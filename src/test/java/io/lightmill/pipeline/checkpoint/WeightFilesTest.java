package io.lightmill.pipeline.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.assertj.core.api.ThrowableAssertAlternative;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WeightFilesTest {

  private static final String INDEX = "diffusion_pytorch_model.safetensors.index.json";
  private static final StoredBytes TENSOR = StoredBytes.of(new float[] {1, 2}, 2L);

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(strings = {"model.safetensors", "diffusion_pytorch_model.safetensors"})
  void aSingleFileIsFoundUnderEitherName(String name) throws IOException {
    Path file = StoredBytes.write(directory.resolve(name), Map.of("a", TENSOR));
    WeightFiles found = WeightFiles.in(directory, Optional.empty());
    assertThat(found.location()).isEqualTo(file);
    assertThat(found.files()).extracting(SafetensorsFile::path).containsExactly(file);
  }

  @Test
  void shardsAreFoundByTheirIndex() throws IOException {
    shard("one.safetensors", "a", "b");
    shard("two.safetensors", "c");
    index(Map.of("a", "one.safetensors", "b", "one.safetensors", "c", "two.safetensors"));
    WeightFiles found = WeightFiles.in(directory, Optional.empty());
    assertThat(found.location()).isEqualTo(directory.resolve(INDEX));
    assertThat(found.files()).extracting(file -> file.tensors().size()).containsExactly(2, 1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"../one.safetensors", "/etc/one.safetensors", "a/one.safetensors", "one.bin", ""})
  void anIndexMayNameOnlyFilesBesideIt(String name) throws IOException {
    shard("one.safetensors", "a");
    index(Map.of("a", name));
    refusal(ErrorCode.CHECKPOINT_INVALID)
        .withMessageStartingWith(directory.resolve(INDEX).toString())
        .withMessageContaining("must be made of names of safetensors files beside it");
  }

  @Test
  void anIndexWithoutAMapIsRefused() throws IOException {
    Files.writeString(directory.resolve(INDEX), "{\"weight_map\": {}}");
    refusal(ErrorCode.CHECKPOINT_INVALID).withMessageContaining("'weight_map'");
    Files.writeString(directory.resolve(INDEX), "{\"metadata\": {}}");
    refusal(ErrorCode.CHECKPOINT_INVALID).withMessageContaining("lacks 'weight_map'");
    Files.writeString(directory.resolve(INDEX), "{\"weight_map\":");
    refusal(ErrorCode.CHECKPOINT_INVALID).withMessageContaining("is not JSON");
  }

  @Test
  void aMissingShardIsNamed() throws IOException {
    shard("one.safetensors", "a");
    index(Map.of("a", "one.safetensors", "b", "two.safetensors"));
    refusal(ErrorCode.WEIGHTS_INVALID)
        .withMessage(
            "%s names shards that are missing: two.safetensors; download them",
            directory.resolve(INDEX));
  }

  @Test
  void anIndexThatContradictsItsShardsIsRefusedWithEveryTensor() throws IOException {
    shard("one.safetensors", "a", "b", "twice");
    shard("two.safetensors", "unlisted", "twice");
    index(
        Map.of(
            "a", "one.safetensors",
            "b", "two.safetensors",
            "absent", "one.safetensors",
            "twice", "two.safetensors"));
    refusal(ErrorCode.WEIGHTS_INVALID)
        .withMessageStartingWith(directory.resolve(INDEX).toString())
        .withMessageContaining("'absent' is indexed in one.safetensors and found in nowhere")
        .withMessageContaining("'b' is indexed in two.safetensors and found in one.safetensors")
        .withMessageContaining(
            "'twice' is indexed in two.safetensors and found in one.safetensors and"
                + " two.safetensors")
        .withMessageContaining("'unlisted' is indexed in nowhere and found in two.safetensors")
        .matches(e -> !e.getMessage().contains("'a'"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"pytorch_model.bin", "model.pt", "model.pth", "model.ckpt", "model.pkl"})
  void picklesAreRefusedByName(String name) throws IOException {
    Files.createFile(directory.resolve(name));
    refusal(ErrorCode.WEIGHTS_INVALID)
        .withMessageStartingWith(directory + " has its weights as " + name)
        .withMessageContaining("because pickles can run code")
        .withMessageContaining("safe_serialization=True");
  }

  @Test
  void aDirectoryWithoutWeightsIsRefused() {
    refusal(ErrorCode.WEIGHTS_INVALID)
        .withMessage(directory + " has no safetensors weights; fetch the checkpoint again");
  }

  private void shard(String name, String... tensors) throws IOException {
    Map<String, StoredBytes> stored = new TreeMap<>();
    for (String tensor : tensors) {
      stored.put(tensor, TENSOR);
    }
    StoredBytes.write(directory.resolve(name), stored);
  }

  private void index(Map<String, String> weightMap) throws IOException {
    new ObjectMapper()
        .writeValue(directory.resolve(INDEX).toFile(), Map.of("weight_map", weightMap));
  }

  private ThrowableAssertAlternative<LightmillException> refusal(ErrorCode code) {
    return assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> WeightFiles.in(directory, Optional.empty()))
        .matches(e -> e.code() == code);
  }
}
