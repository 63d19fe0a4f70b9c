package io.lightmill.pipeline.vae;

import io.lightmill.pipeline.torch.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;

/**
 * How a batch is decoded: in passes of at most {@value #MOST_PIXELS} pixels, and of one image where
 * an image is larger. The activations of a decoder are what fills a device, and a pass of so many
 * pixels keeps a GPU busy.
 *
 * @param images of one pass, at least 1
 */
public record DecodingPasses(int images) {

  private static final long MOST_PIXELS = 1024 * 1024;

  /** Passes for images of this many pixels. */
  public static DecodingPasses of(long pixels) {
    return new DecodingPasses(Math.toIntExact(Math.max(1, MOST_PIXELS / pixels)));
  }

  /**
   * Passes for a batch of latents.
   *
   * @param scaleFactor pixels along a side of one latent
   */
  static DecodingPasses of(Tensor latents, int scaleFactor) {
    long[] shape = latents.shape();
    return of(shape[2] * shape[3] * scaleFactor * scaleFactor);
  }

  /** The output of the decoder for latents {@code [batch, channels, height, width]}. */
  Tensor decode(Tensor latents, UnaryOperator<Tensor> decoder) {
    long batch = latents.shape()[0];
    if (batch <= images) {
      return decoder.apply(latents);
    }
    List<Tensor> passes = new ArrayList<>();
    try {
      for (long first = 0; first < batch; first += images) {
        long[] rows = LongStream.range(first, Math.min(first + images, batch)).toArray();
        try (Tensor pass = latents.select(rows)) {
          passes.add(decoder.apply(pass));
        }
      }
      return Tensor.cat(passes);
    } finally {
      passes.forEach(Tensor::close);
    }
  }
}
