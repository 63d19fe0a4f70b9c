package io.lightmill.pipeline.text;

import io.lightmill.pipeline.PromptLength;

/**
 * Counts the tokens of prompts with one tokenizer.
 *
 * @param tokenizer that is closed together with this
 * @param most tokens that its encoder reads, whatever the request's maximum
 */
public record TokenizedLength(PromptTokenizer tokenizer, int most) implements PromptLength {

  /** For an encoder that reads as many tokens as the request allows. */
  public TokenizedLength(PromptTokenizer tokenizer) {
    this(tokenizer, Integer.MAX_VALUE);
  }

  @Override
  public int most(int maxSequenceLength) {
    return Math.min(most, maxSequenceLength);
  }

  @Override
  public int tokens(String prompt) {
    return tokenizer.count(prompt);
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
