package io.lightmill.pipeline.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.CheckpointCopy;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.ReferenceCheckpoint;
import io.lightmill.pipeline.checkpoint.StoredBytes;
import io.lightmill.pipeline.families.Families;
import io.lightmill.pipeline.flow.FlowPipeline;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import org.assertj.core.api.ThrowableAssertAlternative;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Verification fails where it should, on the first case of a reference. */
class VerificationTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Path REFERENCE = ReferenceCheckpoint.of("flux-dev").getParent();
  private static FlowPipeline pipeline;

  @TempDir Path directory;

  @BeforeAll
  static void load() {
    pipeline = load(ReferenceCheckpoint.of("flux-dev"));
  }

  @AfterAll
  static void unload() {
    pipeline.close();
  }

  @Test
  void theCaseAsItWasRecordedHolds() throws IOException {
    reference(json -> {}, tensors -> {});
    List<Comparison> comparisons = run(pipeline);
    assertThat(comparisons).hasSize(11).allMatch(Comparison::holds);
    assertThat(Verification.read(directory).caseNames()).containsExactly("short_1step");
  }

  /** Each component's weights are seen, from where they come in to the picture. */
  @ParameterizedTest
  @CsvSource({
    "text_encoder/model, text_model.final_layer_norm.weight, 'text_encoder, call 0, pooler_output'",
    "text_encoder_2/model, encoder.final_layer_norm.weight, 'text_encoder_2, call 0,"
        + " last_hidden_state'",
    "transformer/diffusion_pytorch_model, proj_out.bias, 'transformer, call 0'",
    "vae/diffusion_pytorch_model, decoder.conv_out.bias, image from its seed"
  })
  void aWeightThatIsOffFails(String weights, String name, String quantity) throws IOException {
    Path checkpoint = ReferenceCheckpoint.copy("flux-dev", directory.resolve("checkpoint"));
    Path file = checkpoint.resolve(weights + ".safetensors");
    Map<String, StoredBytes> tensors = StoredBytes.read(file);
    float[] values = tensors.get(name).floats();
    values[0] += 0.01f;
    tensors.put(name, StoredBytes.of(values, tensors.get(name).shape().toArray(Long[]::new)));
    StoredBytes.write(file, tensors);
    reference(json -> {}, recordings -> {});
    try (FlowPipeline off = load(checkpoint)) {
      List<Comparison> failed = failed(run(off));
      assertThat(failed).extracting(Comparison::quantity).contains(quantity, "image");
      assertThat(failed).extracting(Comparison::kind).doesNotContain(Kind.TOKEN_IDS);
      assertThat(failed).allSatisfy(row -> assertThat(row.difference()).isBetween(1e-5, 10.0));
    }
  }

  @Test
  void numbersThatAreNotFiniteAreFailedComparisons() throws IOException {
    CheckpointCopy copy = CheckpointCopy.of("flux-dev", directory.resolve("checkpoint"));
    copy.change(
        "transformer/diffusion_pytorch_model",
        tensors -> tensors.computeIfPresent("proj_out.weight", (name, w) -> w.with(0, Float.NaN)));
    reference(json -> {}, tensors -> {});
    try (FlowPipeline notFinite = load(copy.directory())) {
      assertThat(failed(run(notFinite)))
          .extracting(Comparison::quantity)
          .contains("transformer, call 0", "image", "image from its seed");
    }
    reference(
        json -> {},
        tensors ->
            tensors.computeIfPresent(
                "short_1step/tr.0.out", (name, tensor) -> tensor.with(0, Float.NaN)));
    assertThat(failed(run(pipeline)))
        .extracting(Comparison::quantity)
        .containsExactly("transformer, call 0");
  }

  @Test
  void aRecordedTokenIdThatIsOffFails() throws IOException {
    reference(
        json -> {},
        tensors -> tensors.get("short_1step/tok.tokenizer.0.input_ids").bytes()[8] ^= 1);
    assertThat(failed(run(pipeline)))
        .singleElement()
        .satisfies(
            row -> {
              assertThat(row.quantity()).isEqualTo("token ids, tokenizer, call 0");
              assertThat(row.difference()).isEqualTo(1);
              assertThat(row.limit()).isEqualTo("equal");
            });
  }

  @Test
  void aRecordingOfAnotherShapeFails() throws IOException {
    reference(
        json -> {},
        tensors ->
            tensors.computeIfPresent(
                "short_1step/tr.0.out",
                (name, tensor) ->
                    new StoredBytes(
                        tensor.dtype(),
                        List.of(tensor.shape().get(1), 1L, tensor.shape().get(2)),
                        tensor.bytes())));
    assertThat(failed(run(pipeline)))
        .singleElement()
        .satisfies(
            row -> {
              assertThat(row.quantity()).isEqualTo("transformer, call 0");
              assertThat(row.difference()).isInfinite();
              assertThat(row.limit()).isEqualTo("shape [20, 1, 64], not [1, 20, 64]");
            });
  }

  @Test
  void whatIsRecordedButNotComputedFails() throws IOException {
    reference(
        json -> ((ObjectNode) json.get("tensors")).putObject("tr.5.out.1"),
        tensors -> tensors.put("short_1step/tr.5.out.1", StoredBytes.of(new float[] {1}, 1L)));
    assertThat(failed(run(pipeline)))
        .containsExactly(
            Comparison.failed(
                "short_1step", Kind.TRANSFORMER, "transformer, call 5, part 1", "computed at all"));
  }

  @Test
  void aPipelineThatShowsNothingFailsEverything() throws IOException {
    reference(json -> {}, tensors -> {});
    List<Comparison> failed = failed(run(settings -> VerificationTest::silent));
    assertThat(failed).hasSize(10);
    assertThat(failed).extracting(Comparison::limit).containsOnly("computed at all");
  }

  @Test
  void aPictureThatDependsOnItsBatchFails() throws IOException {
    List<Comparison> comparisons = new ArrayList<>();
    Verification.read(REFERENCE)
        .run(settings -> VerificationTest::batchDependent, comparisons::add);
    comparisons.removeIf(comparison -> !comparison.caseName().equals("batch2_4step"));
    assertThat(comparisons)
        .filteredOn(row -> row.quantity().endsWith("batched against alone"))
        .hasSize(2)
        .noneMatch(Comparison::holds);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          ip_adapter_scale      | 0.5        | uses ip_adapter_scale, which no request of Lightmill expresses; remove the case
          height                | "64"       | has "64" for 'height', which must be a whole number above 0
          num_inference_steps   | 0          | has 0 for 'num_inference_steps', which must be a whole number above 0
          guidance_scale        | "much"     | has "much" for 'guidance_scale', which must be a number
          prompt                | []         | has [] for 'prompt', which must be a string or a list of strings
          prompt                | [1]        | has [1] for 'prompt', which must be a string or a list of strings
          negative_prompt       | ["a", "b"] | has ["a","b"] for 'negative_prompt', which must be one string for all prompts or one for each
          """)
  void aCaseThatNoRequestExpressesIsNamed(String argument, String value, String message)
      throws IOException {
    reference(json -> ((ObjectNode) json.get("args")).set(argument, JSON.readTree(value)), t -> {});
    refusal().withMessageContaining("the case 'short_1step' of the reference " + message);
  }

  @Test
  void aCaseThatWasLoadedOtherwiseIsNamed() throws IOException {
    reference(
        json -> ((ObjectNode) json.get("load_overrides")).put("is_distilled", false), t -> {});
    refusal().withMessageContaining("uses is_distilled, which no request");
  }

  @Test
  void aTensorThatIsListedButNotThereIsNamed() throws IOException {
    reference(json -> {}, tensors -> tensors.remove("short_1step/latents.0"));
    refusal().withMessageContaining("lacks the tensor 'short_1step/latents.0'");
  }

  @Test
  void aCaseWithoutALatentToStartFromIsNamed() throws IOException {
    reference(json -> ((ObjectNode) json.get("tensors")).remove("latents_init"), t -> {});
    refusal()
        .withMessage(
            "the case 'short_1step' of the reference records no 'latents_init'; record it again");
  }

  @Test
  void whatIsNoReferenceIsNamed() throws IOException {
    refusal()
        .withMessage(directory + " is no reference: it must hold cases.json and cases.safetensors");
    reference(json -> {}, tensors -> {});
    Path index = directory.resolve("cases.json");
    Files.writeString(index, "{\"pipeline_class\": \"FluxPipeline\", \"cases\": []}");
    refusal().withMessage(index + " holds no cases; record some");
    Files.writeString(index, "{\"pipeline_class\": \"StableFlowPipeline\"}");
    refusal()
        .withMessageStartingWith(
            "the reference was recorded from a StableFlowPipeline; Lightmill verifies Flux");
  }

  @Test
  void aCheckpointOfAnotherPipelineIsRefused() throws IOException {
    Checkpoint other = new Checkpoint(Path.of("sd3"), "StableDiffusion3Pipeline", Map.of());
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> Verification.read(REFERENCE).requirePipelineOf(other))
        .withMessage(
            "the checkpoint sd3 is a StableDiffusion3Pipeline, but the reference "
                + REFERENCE
                + " was recorded from a FluxPipeline; name the one that belongs to it")
        .matches(e -> e.code() == ErrorCode.INPUT_INVALID);
  }

  private interface Change<T> {
    void to(T value) throws IOException;
  }

  /** Writes the reference's first case with changes. */
  private void reference(Change<ObjectNode> json, Change<Map<String, StoredBytes>> tensors)
      throws IOException {
    ObjectNode index = (ObjectNode) JSON.readTree(REFERENCE.resolve("cases.json").toFile());
    ObjectNode first = (ObjectNode) index.at("/cases/0");
    json.to(first);
    ArrayNode cases = index.putArray("cases");
    cases.add(first);
    JSON.writeValue(directory.resolve("cases.json").toFile(), index);
    Map<String, StoredBytes> stored =
        new TreeMap<>(StoredBytes.read(REFERENCE.resolve("cases.safetensors")));
    stored.keySet().removeIf(name -> !name.startsWith("short_1step/"));
    tensors.to(stored);
    write(stored);
  }

  private void write(Map<String, StoredBytes> tensors) throws IOException {
    StoredBytes.write(directory.resolve("cases.safetensors"), tensors);
  }

  private List<Comparison> run(FlowPipeline drawing) {
    return run(settings -> drawing.with(settings)::draw);
  }

  private List<Comparison> run(Function<ComponentConfig, Verification.Drawing> drawing) {
    List<Comparison> comparisons = new ArrayList<>();
    Verification.read(directory).run(drawing, comparisons::add);
    return comparisons;
  }

  private static List<Comparison> failed(List<Comparison> comparisons) {
    return comparisons.stream().filter(row -> !row.holds()).toList();
  }

  private ThrowableAssertAlternative<LightmillException> refusal() {
    return assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> Verification.read(directory))
        .matches(e -> e.code() == ErrorCode.INPUT_INVALID);
  }

  private static FlowPipeline load(Path checkpoint) {
    return Families.load(Checkpoint.open(checkpoint), Device.CPU, DType.F32);
  }

  /** Draws without showing intermediate tensors. */
  private static Tensor silent(
      List<ImageRequest> batch, Optional<Tensor> latents, TensorProbe probe) {
    return pipeline.draw(batch, latents, TensorProbe.NONE);
  }

  /** Draws another image in a batch than alone. */
  private static Tensor batchDependent(
      List<ImageRequest> batch, Optional<Tensor> latents, TensorProbe probe) {
    String prompt = batch.size() == 1 ? "alone" : "together";
    List<ImageRequest> changed = batch.stream().map(request -> with(prompt, request)).toList();
    return pipeline.draw(changed, latents, probe);
  }

  private static ImageRequest with(String prompt, ImageRequest request) {
    return request.toBuilder().prompt(prompt).build();
  }
}
