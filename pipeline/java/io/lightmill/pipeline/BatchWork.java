package io.lightmill.pipeline;

import java.time.Duration;

/**
 * What drawing a batch took on the device.
 *
 * @param encode time of encoding prompts
 * @param denoise time of the transformer's steps
 * @param decode time of decoding latents, until the pixels are in the host's memory
 * @param load time of loading networks in between, which is in none of the others; 0 unless
 *     networks take turns on the device
 * @param loadedBytes of weight files, loaded in that time
 * @param prompts texts that were to be encoded, negative prompts included
 * @param cachedPrompts those of them whose embeddings were known already
 */
public record BatchWork(
    Duration encode,
    Duration denoise,
    Duration decode,
    Duration load,
    long loadedBytes,
    int prompts,
    int cachedPrompts) {

  /** No work. */
  public static final BatchWork NONE = ofUnknownPhases(Duration.ZERO);

  /** The work of a pipeline that does not tell its phases apart, as denoising. */
  public static BatchWork ofUnknownPhases(Duration total) {
    return new BatchWork(Duration.ZERO, total, Duration.ZERO, Duration.ZERO, 0, 0, 0);
  }

  /** The work on two batches. */
  public BatchWork plus(BatchWork other) {
    return new BatchWork(
        encode.plus(other.encode),
        denoise.plus(other.denoise),
        decode.plus(other.decode),
        load.plus(other.load),
        loadedBytes + other.loadedBytes,
        prompts + other.prompts,
        cachedPrompts + other.cachedPrompts);
  }

  /** Time of the three phases, without loading. */
  public Duration phases() {
    return encode.plus(denoise).plus(decode);
  }

  /** Time on the device. */
  public Duration total() {
    return phases().plus(load);
  }
}
