package io.lightmill.udfs.plan;

import io.lightmill.pipeline.BatchKey;

/** Estimated cost of drawing an image, in arbitrary units. */
final class ImageCost {

  /** A transformer token covers 16×16 pixels: 8 by the autoencoder, 2 by the patches. */
  private static final long PIXELS_PER_TOKEN = 256;

  private ImageCost() {}

  /**
   * Tokens × steps × transformer calls per step. The linear layers, four fifths of a FLUX forward
   * pass at 1024×1024, grow with the tokens; the growth of attention in large images is left out.
   */
  static long of(BatchKey key) {
    return tokens(key.width(), key.height(), key.maxSequenceLength())
        * key.numInferenceSteps()
        * (key.guided() ? 2 : 1);
  }

  /** Tokens of an image and its prompt. */
  static long tokens(int width, int height, int textTokens) {
    return (long) width * height / PIXELS_PER_TOKEN + textTokens;
  }
}
