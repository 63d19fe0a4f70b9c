package io.lightmill.pipeline.flow;

import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.ImageResult;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Draws a batch, and fails its images whose numbers are not finite. Once all images have failed,
 * the remaining phases are left out.
 *
 * @param loaded networks of the batch's adapters
 */
record CheckedDrawing(FlowPipeline pipeline, FlowNetworks loaded, FiniteCheck check) {

  private static final ScriptModule SCRIPT = ScriptModule.of("flow", "Flow");

  List<ImageResult> results(List<ImageRequest> batch) {
    List<RgbImage> images = images(batch);
    List<Optional<LightmillException>> failures = check.failures();
    return IntStream.range(0, batch.size())
        .mapToObj(
            i ->
                failures
                    .get(i)
                    .map(ImageResult::failed)
                    .orElseGet(() -> ImageResult.of(images.get(i))))
        .toList();
  }

  /** The images of a batch, failed ones among them; none if all failed. */
  private List<RgbImage> images(List<ImageRequest> batch) {
    try (FlowPipeline.Encoded encoded = pipeline.encode(loaded, batch, TensorProbe.NONE)) {
      check.embeddings(encoded.prompts(), i -> notFinite(PromptTexts.of(one(batch, i))));
      encoded
          .negative()
          .ifPresent(
              negative ->
                  check.embeddings(negative, i -> notFinite(PromptTexts.negative(one(batch, i)))));
      if (check.allFailed()) {
        return List.of();
      }
      try (FlowPipeline.Denoised denoised =
          pipeline.denoise(loaded, encoded, Optional.empty(), check.probe())) {
        check.latents();
        if (check.allFailed()) {
          return List.of();
        }
        try (Tensor image = FlowPipeline.decode(loaded, denoised, check.probe())) {
          check.images();
          return check.allFailed() ? List.of() : quantized(image);
        }
      }
    }
  }

  private static List<ImageRequest> one(List<ImageRequest> batch, int image) {
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
}
