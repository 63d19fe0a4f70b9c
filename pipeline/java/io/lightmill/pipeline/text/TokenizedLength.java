package io.lightmill.pipeline.text;

import io.lightmill.pipeline.PromptLength;

/**
 * Counts prompts in the tokens of one tokenizer.
 *
 * @param tokenizer closed with this
 */
public record TokenizedLength(PromptTokenizer tokenizer) implements PromptLength {

  @Override
  public int tokens(String prompt) {
    return tokenizer.count(prompt);
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
