package io.lightmill.pipeline.flux;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.pipeline.PromptLength;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ModelCard;
import io.lightmill.pipeline.text.PromptTokenizer;
import io.lightmill.pipeline.text.TokenizedLength;
import io.lightmill.pipeline.vae.AutoencoderKl;

/** What FLUX.1 checkpoints accept, known before any weight is loaded. */
public final class FluxLimits {

  /** Black Forest Labs name 0.1 to 2.0 megapixels for FLUX.1. */
  private static final long MAX_PIXELS = 2 * 1024 * 1024;

  /** diffusers' {@code FluxPipeline} refuses longer prompts. */
  private static final int MAX_SEQUENCE_LENGTH = 512;

  /** Latents along a side of diffusers' default picture: 1024 pixels at a scale factor of 8. */
  private static final int DEFAULT_SAMPLE_SIZE = 128;

  private FluxLimits() {}

  /** Limits and defaults; the model card decides before diffusers' own defaults. */
  public static PipelineLimits of(Checkpoint checkpoint) {
    int scale = AutoencoderKl.Config.of(checkpoint.config("vae")).scaleFactor();
    boolean guided = FluxConfig.of(checkpoint.config("transformer")).guidanceEmbeds();
    ModelCard card = ModelCard.of(checkpoint);
    try (PromptTokenizer tokenizer = tokenizer(checkpoint)) {
      int longest = Math.min(tokenizer.modelMaxLength(), MAX_SEQUENCE_LENGTH);
      return new PipelineLimits(
          scale * FluxGrid.PATCH,
          Math.toIntExact(MAX_PIXELS),
          MAX_PIXELS,
          longest,
          ClassifierFreeGuidance.TRUE_CFG_SCALE,
          new PipelineLimits.Defaults(
              card.count("width").orElse(DEFAULT_SAMPLE_SIZE * scale),
              card.count("height").orElse(DEFAULT_SAMPLE_SIZE * scale),
              card.count("num_inference_steps").orElse(guided ? 28 : 4),
              card.number("guidance_scale").orElse(3.5),
              card.number("true_cfg_scale").orElse(1),
              longest));
    }
  }

  /** Counts prompts in T5's tokens. */
  public static PromptLength promptLength(Checkpoint checkpoint) {
    return new TokenizedLength(tokenizer(checkpoint));
  }

  private static PromptTokenizer tokenizer(Checkpoint checkpoint) {
    return PromptTokenizer.open(checkpoint.component("tokenizer_2"));
  }
}
