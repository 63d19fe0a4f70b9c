package io.lightmill.pipeline.text;

import io.lightmill.pipeline.PromptLength;

/**
 * The text around a prompt that a language model expects.
 *
 * @param before the prompt
 * @param after the prompt
 */
public record ChatTemplate(String before, String after) {

  /** The prompt as a user's turn, followed by the start of the model's answer. */
  public static final ChatTemplate USER_TURN =
      new ChatTemplate("<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n");

  /** This template with more text at its end. */
  public ChatTemplate followedBy(String text) {
    return new ChatTemplate(before, after + text);
  }

  public String around(String prompt) {
    return before + prompt + after;
  }

  /**
   * Counts the tokens of prompts within this template. Closing it closes the tokenizer.
   *
   * @param uncounted tokens at the start of the template that do not count towards a limit
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
