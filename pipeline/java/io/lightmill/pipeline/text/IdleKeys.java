package io.lightmill.pipeline.text;

import java.util.HashSet;
import java.util.Set;

/** Keys of transformers' configs that have no effect on the hidden states of a text. */
public final class IdleKeys {

  /**
   * Settings of training, of other tasks and of the generation of text, notes about the file, and
   * tokens that tokenizers add.
   */
  public static final Set<String> OF_TRANSFORMERS =
      Set.of(
          // notes about the file
          "architectures",
          "auto_map",
          "dtype",
          "finetuning_task",
          "id2label",
          "label2id",
          "model_type",
          "name_or_path",
          "num_labels",
          "prefix",
          "problem_type",
          "task_specific_params",
          "tokenizer_class",
          "torch_dtype",
          "transformers_version",
          // training, and how Python computes or returns the same numbers
          "attention_dropout",
          "attn_implementation",
          "chunk_size_feed_forward",
          "dropout",
          "gradient_checkpointing",
          "initializer_factor",
          "initializer_range",
          "logit_scale_init_value",
          "output_attentions",
          "output_hidden_states",
          "output_past",
          "return_dict",
          "tf_legacy_loss",
          "torchscript",
          "use_bfloat16",
          "use_cache",
          // decoders, and the generation of text
          "add_cross_attention",
          "is_decoder",
          "bad_words_ids",
          "begin_suppress_tokens",
          "bos_token_id",
          "cross_attention_hidden_size",
          "decoder_start_token_id",
          "diversity_penalty",
          "do_sample",
          "early_stopping",
          "encoder_no_repeat_ngram_size",
          "eos_token_id",
          "exponential_decay_length_penalty",
          "forced_bos_token_id",
          "forced_eos_token_id",
          "is_encoder_decoder",
          "length_penalty",
          "max_length",
          "min_length",
          "no_repeat_ngram_size",
          "num_beam_groups",
          "num_beams",
          "num_return_sequences",
          "output_scores",
          "pad_token_id",
          "remove_invalid_values",
          "repetition_penalty",
          "return_dict_in_generate",
          "sep_token_id",
          "suppress_tokens",
          "temperature",
          "tie_encoder_decoder",
          "tie_word_embeddings",
          "top_k",
          "top_p",
          "typical_p");

  /** T5's decoder, its training, and a length that relative positions do not need. */
  static final Set<String> OF_T5 =
      with(
          OF_TRANSFORMERS,
          Set.of(
              "classifier_dropout",
              "dropout_rate",
              "num_decoder_layers",
              "n_positions",
              "scale_decoder_outputs"));

  /**
   * Images and videos that a prompt may hold, windows of attention that are switched off, and a
   * number of positions that {@link QwenConfig#positions} reads.
   */
  static final Set<String> OF_QWEN =
      with(
          OF_TRANSFORMERS,
          Set.of(
              "image_token_id",
              "max_position_embeddings",
              "max_window_layers",
              "sliding_window",
              "video_token_id",
              "vision_config",
              "vision_end_token_id",
              "vision_start_token_id",
              "vision_token_id"));

  /** In a text, the sections of mrope have equal positions; a plain rope is not scaled. */
  static final Set<String> OF_PLAIN_ROPES =
      Set.of("type", "mrope_section", "factor", "original_max_position_embeddings");

  private IdleKeys() {}

  private static Set<String> with(Set<String> keys, Set<String> more) {
    Set<String> all = new HashSet<>(keys);
    all.addAll(more);
    return Set.copyOf(all);
  }
}
