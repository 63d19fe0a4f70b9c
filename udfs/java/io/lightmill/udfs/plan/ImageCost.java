package io.lightmill.udfs.plan;

import io.lightmill.pipeline.BatchKey;

/** What an image costs to draw, in a unit of its own; only the ratios count. */
final class ImageCost {

  /** A transformer token stands for 16×16 pixels: 8 by the autoencoder, 2 by the patches. */
  private static final long PIXELS_PER_TOKEN = 256;

  private ImageCost() {}

  /**
   * Tokens × steps × transformer calls a step. The linear layers, four fifths of a FLUX forward at
   * 1024×1024, grow with the tokens; what attention adds to large images is left out.
   */
  static long of(BatchKey key) {
    long tokens = (long) key.width() * key.height() / PIXELS_PER_TOKEN + key.maxSequenceLength();
    return tokens * key.numInferenceSteps() * (key.guided() ? 2 : 1);
  }
}
