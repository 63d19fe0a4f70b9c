package io.lightmill.pipeline.text;

import io.lightmill.pipeline.PromptLength;

/**
 * What a language model reads around a prompt.
 *
 * @param before the prompt
 * @param after the prompt
 */
public record ChatTemplate(String before, String after) {

  /** The prompt as a user's turn that the model is about to answer. */
  public static final ChatTemplate USER_TURN =
      new ChatTemplate("<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n");

  /** This template with more text after it. */
  public ChatTemplate followedBy(String text) {
    return new ChatTemplate(before, after + text);
  }

  public String around(String prompt) {
    return before + prompt + after;
  }

  /**
   * Counts prompts with this template around them; closes the tokenizer with itself.
   *
   * @param uncounted tokens that the template begins with and that no limit counts
   */
  public PromptLength lengthIn(PromptTokenizer tokenizer, int uncounted) {
    return new PromptLength() {
      @Override
      public int tokens(String prompt) {
        return tokenizer.count(around(prompt)) - uncounted;
      }

      @Override
      public void close() {
        tokenizer.close();
      }
    };
  }
}
