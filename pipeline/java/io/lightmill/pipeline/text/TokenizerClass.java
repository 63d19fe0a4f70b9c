package io.lightmill.pipeline.text;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;

/**
 * The tokenizer classes of transformers whose files are read if a checkpoint has no {@code
 * tokenizer.json}.
 */
enum TokenizerClass {
  CLIP("CLIPTokenizer"),
  T5("T5Tokenizer"),
  QWEN2("Qwen2Tokenizer");

  private final String className;

  TokenizerClass(String className) {
    this.className = className;
  }

  /** Some checkpoints append {@code Fast} to the name, which makes no difference here. */
  static Optional<TokenizerClass> named(String name) {
    String plain = name.replaceFirst("Fast$", "");
    return Arrays.stream(values()).filter(known -> known.className.equals(plain)).findFirst();
  }

  /** Default tokens by role, for roles that a checkpoint does not mention. */
  Map<String, String> specialTokens() {
    return switch (this) {
      case CLIP ->
          Map.of(
              "bos_token", "<|startoftext|>",
              "eos_token", "<|endoftext|>",
              "unk_token", "<|endoftext|>",
              "pad_token", "<|endoftext|>");
      case T5 -> Map.of("eos_token", "</s>", "unk_token", "<unk>", "pad_token", "<pad>");
      case QWEN2 ->
          Map.of(
              "eos_token", "<|endoftext|>",
              "unk_token", "<|endoftext|>",
              "pad_token", "<|endoftext|>");
    };
  }
}
