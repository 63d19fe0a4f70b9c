package io.lightmill.pipeline.hosted;

import io.lightmill.pipeline.PromptLength;
import java.nio.charset.StandardCharsets;

/**
 * Estimates tokens, since the tokenizer of a hosted model is not public: one for four bytes of
 * UTF-8. The endpoint itself decides whether a prompt is too long.
 */
public final class EstimatedPromptLength implements PromptLength {

  private static final int BYTES_PER_TOKEN = 4;

  @Override
  public int tokens(String prompt) {
    return (prompt.getBytes(StandardCharsets.UTF_8).length + BYTES_PER_TOKEN - 1) / BYTES_PER_TOKEN;
  }

  @Override
  public void close() {}
}
