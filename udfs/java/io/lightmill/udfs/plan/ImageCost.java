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
    long tokens = (long) key.width() * key.height() / PIXELS_PER_TOKEN + key.maxSequenceLength();
    return tokens * key.numInferenceSteps() * (key.guided() ? 2 : 1);
  }
}
