package io.lightmill.pipeline.flow;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.DrawingFacts;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.ImageResult;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.checkpoint.Loading;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The drawing of one batch, phase by phase. Its images whose numbers are not finite fail. Once all
 * have failed, the remaining phases do nothing.
 */
final class CheckedDrawing implements AutoCloseable {

  private static final ScriptModule SCRIPT = ScriptModule.of("flow", "Flow");

  private final FlowPipeline pipeline;
  private final FlowNetworks loaded;
  private final List<ImageRequest> batch;
  private final TensorProbe probe;
  private final FiniteCheck check;
  private final Loading open = new Loading();
  private EncodedBatch encoded;
  private DenoisedBatch denoised;
  private int prompts;
  private int cachedPrompts;

  /**
   * @param loaded networks of the batch's adapters
   * @param dtype that they compute in
   * @param probe sees the intermediate tensors
   */
  CheckedDrawing(
      FlowPipeline pipeline,
      FlowNetworks loaded,
      List<ImageRequest> batch,
      DType dtype,
      TensorProbe probe) {
    this.pipeline = pipeline;
    this.loaded = loaded;
    this.batch = batch;
    this.probe = probe;
    this.check = open.add(new FiniteCheck(batch.size(), dtype));
  }

  void encode() {
    encoded = open.add(pipeline.encode(loaded, batch, probe, this::count));
    check.embeddings(encoded.prompts(), i -> notFinite(PromptTexts.of(one(i))));
    encoded
        .negative()
        .ifPresent(
            negative -> check.embeddings(negative, i -> notFinite(PromptTexts.negative(one(i)))));
  }

  private void count(int texts, int cached) {
    prompts += texts;
    cachedPrompts += cached;
  }

  /** Texts that were to be encoded. */
  int prompts() {
    return prompts;
  }

  /** Those of them whose embeddings were known. */
  int cachedPrompts() {
    return cachedPrompts;
  }

  /** Frees the embeddings, since all batches of a chunk are denoised before any is decoded. */
  void denoise() {
    if (!check.allFailed()) {
      denoised =
          open.add(pipeline.denoise(loaded, encoded, Optional.empty(), check.watching(probe)));
      check.latents();
    }
    encoded.close();
  }

  List<ImageResult> decode() {
    List<RgbImage> images = check.allFailed() ? List.of() : images();
    List<Optional<LightmillException>> failures = check.failures();
    return IntStream.range(0, batch.size())
        .mapToObj(
            i ->
                failures
                    .get(i)
                    .map(ImageResult::failed)
                    .orElseGet(
                        () ->
                            ImageResult.of(
                                images.get(i),
                                DrawingFacts.ofCalls(denoised.transformerCalls().get(i)))))
        .toList();
  }

  private List<RgbImage> images() {
    try (Tensor image = FlowPipeline.decode(loaded, denoised, check.watching(probe))) {
      check.images();
      return check.allFailed() ? List.of() : quantized(image);
    }
  }

  private List<ImageRequest> one(int image) {
    return List.of(batch.get(image));
  }

  /** The text encoder that computes NaN or infinity for these texts. */
  private String notFinite(PromptTexts texts) {
    FiniteCheck.TextEncoders encoders = new FiniteCheck.TextEncoders();
    loaded.encode(texts, encoders).close();
    return encoders.first();
  }

  /** Images in 8 bits per channel; halves round to even. */
  private static List<RgbImage> quantized(Tensor image) {
    long[] shape = image.shape();
    int height = Math.toIntExact(shape[2]);
    int width = Math.toIntExact(shape[3]);
    byte[] all;
    try (Tensor quantized = SCRIPT.tensor("quantize", image)) {
      all = quantized.toBytes();
    }
    int size = width * height * 3;
    return IntStream.range(0, Math.toIntExact(shape[0]))
        .mapToObj(i -> Arrays.copyOfRange(all, i * size, (i + 1) * size))
        .map(rgb -> new RgbImage(width, height, rgb))
        .toList();
  }

  @Override
  public void close() {
    open.close();
  }
}
