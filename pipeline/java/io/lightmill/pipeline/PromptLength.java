package io.lightmill.pipeline;

/** Counts prompts in the tokens of a checkpoint's long text encoder. Safe for several threads. */
public interface PromptLength extends AutoCloseable {

  /** Tokens of the prompt, special tokens included, before any truncation. */
  int tokens(String prompt);

  /**
   * Most tokens that the text encoder reads of a prompt.
   *
   * @param maxSequenceLength of the request
   */
  default int most(int maxSequenceLength) {
    return maxSequenceLength;
  }

  @Override
  void close();
}
