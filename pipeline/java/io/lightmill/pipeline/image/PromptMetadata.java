package io.lightmill.pipeline.image;

import io.lightmill.pipeline.ImageRequest;
import java.util.Optional;
import org.apache.commons.codec.digest.DigestUtils;

/** What an image file contains of its prompts. */
public enum PromptMetadata {
  /** The prompts. */
  FULL,
  /** SHA-256 digests of the prompts: who knows a prompt can prove it. */
  HASH,
  /** Nothing. */
  NONE;

  /** The request as image files show it. */
  public ImageRequest shown(ImageRequest request) {
    if (this == FULL) {
      return request;
    }
    return request.toBuilder()
        .prompt(shown(request.prompt()))
        .prompt2(shown(request.prompt2()))
        .prompt3(shown(request.prompt3()))
        .negativePrompt(shown(request.negativePrompt()))
        .build();
  }

  private String shown(Optional<String> prompt) {
    return prompt.map(this::shown).orElse(null);
  }

  /** A hash is {@code sha256:} and 64 hex digits of the prompt in UTF-8. */
  String shown(String prompt) {
    return switch (this) {
      case FULL -> prompt;
      case HASH -> "sha256:" + DigestUtils.sha256Hex(prompt);
      case NONE -> "";
    };
  }
}
