package io.lightmill.pipeline;

/** Counts prompts in the tokens of a checkpoint's long text encoder. Safe for several threads. */
public interface PromptLength extends AutoCloseable {

  /** Tokens of the prompt, special tokens included, before any truncation. */
  int tokens(String prompt);

  @Override
  void close();
}
