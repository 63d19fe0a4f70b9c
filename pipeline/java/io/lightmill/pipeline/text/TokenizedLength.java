package io.lightmill.pipeline.text;

import io.lightmill.pipeline.PromptLength;

/**
 * Counts prompts in the tokens of one tokenizer.
 *
 * @param tokenizer closed with this
 * @param most tokens that its encoder reads, whatever a request says
 */
public record TokenizedLength(PromptTokenizer tokenizer, int most) implements PromptLength {

  /** For an encoder that reads as many tokens as a request says. */
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
