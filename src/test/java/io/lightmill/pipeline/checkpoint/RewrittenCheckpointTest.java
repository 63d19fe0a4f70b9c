package io.lightmill.pipeline.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.families.Families;
import io.lightmill.pipeline.flow.FlowPipeline;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Checkpoints with the same weights in other files, under other names, or fused. */
class RewrittenCheckpointTest {

  private static final List<String> WEIGHTS =
      List.of(
          "text_encoder/model",
          "text_encoder_2/model",
          "transformer/diffusion_pytorch_model",
          "vae/diffusion_pytorch_model");

  @TempDir Path temporary;

  private Path copy(String model) throws IOException {
    return ReferenceCheckpoint.copy(model, temporary.resolve(model));
  }

  @Test
  void theOnlyVariantIsReadWithoutARequest() throws IOException {
    Path directory = copy("flux-schnell");
    float[] plain = draw(directory, Optional.empty());
    for (String weights : WEIGHTS) {
      Files.move(
          directory.resolve(weights + ".safetensors"),
          directory.resolve(weights + ".fp16.safetensors"));
    }
    assertClose(draw(directory, Optional.empty()), plain);
    assertClose(draw(directory, Optional.of("fp16")), plain);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "diffusion_pytorch_model.fp16.safetensors.index.json",
        "diffusion_pytorch_model.safetensors.index.fp16.json",
        "diffusion_pytorch_model.safetensors.fp16.index.json"
      })
  void shardsOfAVariantAreFoundUnderTheNamesOfAllReleases(String index) throws IOException {
    Path directory = copy("flux-schnell");
    float[] plain = draw(directory, Optional.empty());
    Path folder = directory.resolve("transformer");
    Path whole = folder.resolve("diffusion_pytorch_model.safetensors");
    Map<String, String> places = new TreeMap<>();
    List<Map<String, StoredBytes>> shards = List.of(new TreeMap<>(), new TreeMap<>());
    for (var tensor : StoredBytes.read(whole).entrySet()) {
      int shard = places.size() % 2;
      shards.get(shard).put(tensor.getKey(), tensor.getValue());
      places.put(tensor.getKey(), shardName(shard));
    }
    for (int i = 0; i < 2; i++) {
      StoredBytes.write(folder.resolve(shardName(i)), shards.get(i));
    }
    new ObjectMapper().writeValue(folder.resolve(index).toFile(), Map.of("weight_map", places));
    Files.delete(whole);
    assertClose(draw(directory, Optional.empty()), plain);
  }

  private static String shardName(int number) {
    return "diffusion_pytorch_model.fp16-0000%d-of-00002.safetensors".formatted(number + 1);
  }

  @Test
  void aVariantHasItsOwnDigest() throws IOException {
    Path directory = copy("flux-schnell");
    float[] plain = draw(directory, Optional.empty());
    String digest = Checkpoint.open(directory).digest();
    Map<String, StoredBytes> tensors =
        StoredBytes.read(directory.resolve("transformer/diffusion_pytorch_model.safetensors"));
    tensors.computeIfPresent(
        "proj_out.bias", (name, bias) -> StoredBytes.of(new float[bias.floats().length], 64L));
    StoredBytes.write(
        directory.resolve("transformer/diffusion_pytorch_model.fp16.safetensors"), tensors);

    assertThat(draw(directory, Optional.empty())).isEqualTo(plain);
    assertThat(Checkpoint.open(directory).digest()).isEqualTo(digest);
    assertThat(distance(draw(directory, Optional.of("fp16")), plain)).isGreaterThan(1e-3);
    assertThat(Checkpoint.open(directory, Optional.of("fp16")).digest()).isNotEqualTo(digest);
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> Checkpoint.open(directory, Optional.of("bf16")))
        .withMessage(
            "no component of the checkpoint %s has weights of the variant 'bf16'; it has fp16",
            directory)
        .matches(e -> e.code() == ErrorCode.CHECKPOINT_INVALID);
  }

  @Test
  void amongSeveralVariantsOneMustBeNamed() throws IOException {
    Path vae = copy("flux-schnell").resolve("vae");
    Path plain = vae.resolve("diffusion_pytorch_model.safetensors");
    Files.copy(plain, vae.resolve("diffusion_pytorch_model.bf16.safetensors"));
    Files.move(plain, vae.resolve("diffusion_pytorch_model.fp16.safetensors"));
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> WeightFiles.in(vae, Optional.empty()))
        .withMessage(
            "%s has its weights only as the variants bf16, fp16; name one (--variant)", vae);
    assertThat(WeightFiles.in(vae, Optional.of("bf16")).location().getFileName())
        .hasToString("diffusion_pytorch_model.bf16.safetensors");
  }

  @Test
  void aDirectoryOfTheHubsCacheIsResolved() throws IOException {
    Path model = temporary.resolve("models--maker--flux");
    Path snapshot = hubSnapshot(model, "0a1b2c", "flux-schnell");
    CheckpointCache cache = new CheckpointCache(temporary.resolve("cache"));
    float[] plain = draw(ReferenceCheckpoint.of("flux-schnell"), Optional.empty());

    assertThat(cache.localize(model.toString())).isEqualTo(snapshot);
    assertThat(draw(snapshot, Optional.empty())).isEqualTo(plain);
    assertThat(Checkpoint.open(snapshot).digest())
        .isEqualTo(Checkpoint.open(ReferenceCheckpoint.of("flux-schnell")).digest());

    Files.createDirectories(model.resolve("snapshots/3d4e5f"));
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> cache.localize(model.toString()))
        .withMessageContaining("has 2 snapshots and no refs/main; name one of [" + snapshot);
    Files.createDirectories(model.resolve("refs"));
    Files.writeString(model.resolve("refs/main"), "0a1b2c\n");
    assertThat(cache.localize(model.toString())).isEqualTo(snapshot);

    for (String other : new String[] {"../../other", "/etc", "", "a\0b"}) {
      Files.writeString(model.resolve("refs/main"), other);
      assertThatExceptionOfType(LightmillException.class)
          .isThrownBy(() -> cache.localize(model.toString()))
          .withMessageContaining("refs/main holds '")
          .withMessageEndingWith("which is not the name of a snapshot; download the model again");
    }
  }

  private static Path hubSnapshot(Path model, String revision, String reference)
      throws IOException {
    Path snapshot = model.resolve("snapshots").resolve(revision);
    Path blobs = Files.createDirectories(model.resolve("blobs"));
    Path source = ReferenceCheckpoint.of(reference);
    List<Path> files;
    try (Stream<Path> all = Files.walk(source)) {
      files = all.filter(Files::isRegularFile).toList();
    }
    for (Path file : files) {
      Path link = snapshot.resolve(source.relativize(file).toString());
      Path blob = Files.copy(file, blobs.resolve("blob" + files.indexOf(file)));
      Files.createDirectories(link.getParent());
      Files.createSymbolicLink(link, link.getParent().relativize(blob));
    }
    return snapshot;
  }

  @Test
  void projectionsOfAttentionMayBeFused() throws IOException {
    Path directory = copy("flux-dev");
    float[] plain = draw(directory, Optional.empty());
    Path file = directory.resolve("transformer/diffusion_pytorch_model.safetensors");
    Map<String, StoredBytes> tensors = StoredBytes.read(file);
    fuse(tensors, "to_qkv", "to_q", "to_k", "to_v");
    fuse(tensors, "to_added_qkv", "add_q_proj", "add_k_proj", "add_v_proj");
    StoredBytes.write(file, tensors);
    assertThat(tensors.keySet())
        .noneMatch(name -> name.contains("attn.to_q.") || name.contains("add_k_proj"));
    assertClose(draw(directory, Optional.empty()), plain);
  }

  @ParameterizedTest
  @CsvSource({
    "qwenimage, model.language_model., model.visual.",
    "qwenimage, model., visual.",
    "qwenimage, language_model.model., visual.",
    "zimage, '', visual.",
    "flux2-klein, model., visual."
  })
  void namesOfLanguageModelsInAllReleasesAreRead(String model, String root, String visual)
      throws IOException {
    Path directory = copy(model);
    float[] plain = draw(directory, Optional.empty());
    rename(
        directory.resolve("text_encoder/model.safetensors"),
        name ->
            name.startsWith("visual.")
                ? visual + name.substring("visual.".length())
                : name.startsWith("model.") ? root + name.substring("model.".length()) : name);
    assertClose(draw(directory, Optional.empty()), plain);

    Path file = directory.resolve("text_encoder/model.safetensors");
    Map<String, StoredBytes> tensors = StoredBytes.read(file);
    fuse(tensors, "qkv_proj", "q_proj", "k_proj", "v_proj");
    fuse(tensors, "gate_up_proj", "gate_proj", "up_proj");
    StoredBytes.write(file, tensors);
    assertClose(draw(directory, Optional.empty()), plain);
  }

  @Test
  void oneErrorListsInvalidFusedTensorsAndUnknownTensors() throws IOException {
    Path directory = copy("flux-dev");
    Path file = directory.resolve("transformer/diffusion_pytorch_model.safetensors");
    Map<String, StoredBytes> tensors = StoredBytes.read(file);
    String block = "transformer_blocks.0.attn.";
    for (String part : List.of("to_q", "to_k", "to_v")) {
      tensors.remove(block + part + ".weight");
    }
    tensors.put(block + "to_qkv.weight", StoredBytes.of(new float[95 * 32], 95L, 32L));
    tensors.put("x_embedding.bias", tensors.remove("x_embedder.bias"));
    tensors.put("proj_out.bias", StoredBytes.of(new float[3], 3L));
    StoredBytes.write(file, tensors);
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> draw(directory, Optional.empty()))
        .withMessage(
            file
                + " lacks the weights "
                + block
                + "to_k.weight, "
                + block
                + "to_v.weight, x_embedder.bias; has unknown tensors instead:"
                + " x_embedding.bias; has 'proj_out.bias' of shape [3] where the config requires"
                + " [64]; has '"
                + block
                + "to_qkv.weight' of shape [95, 32] where the config requires [32, 32];"
                + " fetch the checkpoint again, or fix its config");
  }

  /** Puts the tensors of some layers one after the other, wherever a file has them. */
  private static void fuse(Map<String, StoredBytes> tensors, String fused, String... parts)
      throws IOException {
    for (String name : List.copyOf(tensors.keySet())) {
      String first = "." + parts[0] + ".";
      if (name.contains(first)) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        List<Long> shape = new ArrayList<>(tensors.get(name).shape());
        shape.set(0, 0L);
        for (String part : parts) {
          StoredBytes tensor = tensors.remove(name.replace(first, "." + part + "."));
          bytes.write(tensor.bytes());
          shape.set(0, shape.get(0) + tensor.shape().get(0));
        }
        tensors.put(
            name.replace(first, "." + fused + "."),
            new StoredBytes("F32", shape, bytes.toByteArray()));
      }
    }
  }

  private static void rename(Path file, UnaryOperator<String> rename) throws IOException {
    Map<String, StoredBytes> renamed = new TreeMap<>();
    StoredBytes.read(file).forEach((name, tensor) -> renamed.put(rename.apply(name), tensor));
    StoredBytes.write(file, renamed);
  }

  private static float[] draw(Path directory, Optional<String> variant) {
    ImageRequest request =
        ImageRequest.builder("a red mug")
            .width(32)
            .height(32)
            .numInferenceSteps(2)
            .guidanceScale(3.5)
            .trueCfgScale(1)
            .maxSequenceLength(32)
            .seed(5)
            .build();
    try (FlowPipeline pipeline =
            Families.load(Checkpoint.open(directory, variant), Device.CPU, DType.F32);
        Tensor image = pipeline.draw(List.of(request), Optional.empty(), TensorProbe.NONE)) {
      return image.toFloats();
    }
  }

  /** Equal but for rounding: the engine rounds by where in memory a weight begins. */
  private static void assertClose(float[] actual, float[] expected) {
    assertThat(distance(actual, expected)).isLessThan(1e-5);
  }

  private static double distance(float[] a, float[] b) {
    assertThat(a).hasSameSizeAs(b);
    return IntStream.range(0, a.length).mapToDouble(i -> Math.abs(a[i] - b[i])).max().orElseThrow();
  }
}
