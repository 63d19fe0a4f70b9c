package io.lightmill.pipeline.stablediffusion3;

import io.lightmill.pipeline.ImageRequest;

/**
 * What the encoders read for an image.
 *
 * @param prompt of the first CLIP
 * @param prompt2 of the second CLIP
 * @param prompt3 of T5
 * @param negativePrompt of all of them
 */
record Sd3Wording(String prompt, String prompt2, String prompt3, String negativePrompt) {

  static Sd3Wording of(ImageRequest request) {
    return new Sd3Wording(
        request.prompt(),
        request.prompt2().orElse(request.prompt()),
        request.prompt3().orElse(request.prompt()),
        request.negativePrompt().orElse(""));
  }
}
