package io.lightmill.pipeline.text;

import java.util.Set;

/** The classes of transformers whose components the text encoders and tokenizers here read. */
public final class TextClasses {

  /** With a pooled output. */
  public static final Set<String> CLIP = Set.of("CLIPTextModel");

  /** With projected texts. */
  public static final Set<String> CLIP_WITH_PROJECTION = Set.of("CLIPTextModelWithProjection");

  public static final Set<String> T5 = Set.of("T5EncoderModel");

  public static final Set<String> QWEN3 = Set.of("Qwen3ForCausalLM", "Qwen3Model");

  public static final Set<String> QWEN2_5_VL =
      Set.of("Qwen2_5_VLForConditionalGeneration", "Qwen2_5_VLModel");

  public static final Set<String> CLIP_TOKENIZER = Set.of("CLIPTokenizer", "CLIPTokenizerFast");

  public static final Set<String> T5_TOKENIZER = Set.of("T5Tokenizer", "T5TokenizerFast");

  public static final Set<String> QWEN2_TOKENIZER = Set.of("Qwen2Tokenizer", "Qwen2TokenizerFast");

  private TextClasses() {}
}
