package io.lightmill.pipeline.flow;

import static io.lightmill.pipeline.flow.ChunkDrawingTest.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.ImageResult;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.CheckpointCopy;
import io.lightmill.pipeline.checkpoint.ReferenceCheckpoint;
import io.lightmill.pipeline.checkpoint.StoredBytes;
import io.lightmill.pipeline.families.Families;
import io.lightmill.pipeline.torch.TensorProbe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** NaN and infinity in the weights of every network of every family. */
class FiniteCheckTest {

  private static final List<String> MODELS =
      List.of("flux-dev", "flux2-klein", "qwenimage", "sd3", "zimage");

  /**
   * A tensor of each kind of network whose first element every result depends on; of the
   * convolutions of video autoencoders, images use a part.
   */
  private static final String WEIGHT =
      "(model\\.|text_model\\.encoder\\.)?layers\\.0\\.self_attn\\.(out_proj|o_proj)\\.weight"
          + "|encoder\\.block\\.0\\.layer\\.0\\.SelfAttention\\.o\\.weight"
          + "|proj_out\\.weight|all_final_layer\\.2-1\\.linear\\.weight|decoder\\.conv_out\\.bias";

  @TempDir Path directory;

  static Stream<Arguments> networks() {
    return MODELS.stream()
        .flatMap(model -> networks(model).map(network -> Arguments.of(model, network)));
  }

  private static Stream<String> networks(String model) {
    return Stream.of("text_encoder", "text_encoder_2", "text_encoder_3", "transformer", "vae")
        .filter(network -> Files.exists(ReferenceCheckpoint.of(model).resolve(network)));
  }

  @ParameterizedTest
  @MethodSource("networks")
  void theNetworkThatComputesNanOrInfinityFirstIsNamed(String model, String network)
      throws IOException {
    for (float value : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
      CheckpointCopy copy = CheckpointCopy.of(model, directory.resolve(network + value));
      copy.change(file(copy, network), tensors -> damage(tensors, value));
      try (FlowPipeline pipeline = load(copy.directory())) {
        List<ImageRequest> batch = List.of(request("a red mug", 1), request("a bowl", 2));

        assertThat(pipeline.results(batch)).allSatisfy(result -> assertNotFinite(result, network));
        assertThat(pipeline.byPhase(List.of(batch), TensorProbe.NONE))
            .allSatisfy(result -> assertNotFinite(result, network));
        assertThatExceptionOfType(LightmillException.class)
            .isThrownBy(() -> pipeline.generate(batch))
            .matches(e -> e.code() == ErrorCode.IMAGE_NOT_FINITE);
      }
    }
  }

  private static void assertNotFinite(ImageResult result, String network) {
    String named = network.equals("transformer") ? "transformer at step 1 of 2" : network;
    assertThat(result.image()).isEmpty();
    assertThat(result.failure())
        .hasValueSatisfying(
            failure -> {
              assertThat(failure.code()).isEqualTo(ErrorCode.IMAGE_NOT_FINITE);
              assertThat(failure)
                  .hasMessage(
                      "the image has values that are NaN or infinite, and %s computed the first of"
                          + " them, in f32; use another dtype (float16 overflows in some networks),"
                          + " or download the checkpoint again if its weights are damaged",
                      named);
            });
  }

  @Test
  void theOtherImagesOfABatchAreNotAffected() throws IOException {
    List<ImageRequest> batch =
        List.of(request("a bowl", 1), request("a red mug", 2), request("a bowl", 3));
    List<byte[]> healthy;
    Set<Long> onlyInTheSecond;
    try (FlowPipeline pipeline = load(ReferenceCheckpoint.of("flux-dev"))) {
      healthy =
          pipeline.byPhase(List.of(batch), TensorProbe.NONE).stream()
              .map(result -> result.orElseThrow().rgb())
              .toList();
      onlyInTheSecond = tokens(pipeline, batch.get(1));
      onlyInTheSecond.removeAll(tokens(pipeline, batch.get(0)));
    }
    CheckpointCopy copy = CheckpointCopy.of("flux-dev", directory.resolve("copy"));
    int token = Math.toIntExact(onlyInTheSecond.iterator().next());
    copy.change(
        "text_encoder_2/model",
        tensors ->
            tensors.computeIfPresent(
                "shared.weight",
                (name, embeddings) ->
                    embeddings.with(
                        Math.toIntExact(token * embeddings.shape().get(1)), Float.NaN)));
    try (FlowPipeline pipeline = load(copy.directory())) {
      List<ImageResult> results = pipeline.byPhase(List.of(batch), TensorProbe.NONE);

      assertThat(results.get(0).orElseThrow().rgb()).isEqualTo(healthy.get(0));
      assertNotFinite(results.get(1), "text_encoder_2");
      assertThat(results.get(2).orElseThrow().rgb()).isEqualTo(healthy.get(2));
    }
  }

  /** The ids that T5 reads for the prompt and the negative prompt of a request. */
  private static Set<Long> tokens(FlowPipeline pipeline, ImageRequest request) {
    Set<Long> ids = new HashSet<>();
    TensorProbe probe =
        (name, tensor) -> {
          if (name.startsWith("tok.tokenizer_2.")) {
            LongStream.of(tensor.toLongs()).forEach(ids::add);
          }
        };
    pipeline.encode(List.of(request), probe).close();
    return ids;
  }

  private static String file(CheckpointCopy copy, String network) throws IOException {
    try (Stream<Path> files = Files.list(copy.directory().resolve(network))) {
      String name =
          files
              .map(file -> file.getFileName().toString())
              .filter(file -> file.endsWith(".safetensors"))
              .findFirst()
              .orElseThrow();
      return network + "/" + name.replace(".safetensors", "");
    }
  }

  private static void damage(Map<String, StoredBytes> tensors, float value) {
    String name =
        tensors.keySet().stream().filter(key -> key.matches(WEIGHT)).findFirst().orElseThrow();
    tensors.computeIfPresent(name, (key, weight) -> weight.with(0, value));
  }

  private static FlowPipeline load(Path checkpoint) {
    return Families.load(Checkpoint.open(checkpoint), Device.CPU, DType.F32, Map.of(), false);
  }
}
