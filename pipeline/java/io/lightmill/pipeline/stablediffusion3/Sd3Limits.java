package io.lightmill.pipeline.stablediffusion3;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.pipeline.PromptLength;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ModelCard;
import io.lightmill.pipeline.text.ClipTextEncoder;
import io.lightmill.pipeline.text.PromptTokenizer;
import io.lightmill.pipeline.text.TokenizedLength;
import io.lightmill.pipeline.vae.AutoencoderKl;

/** What Stable Diffusion 3 checkpoints accept, known before any weight is loaded. */
public final class Sd3Limits {

  /** Stability AI names 1 megapixel for SD3 Medium and SD3.5 Large. */
  private static final long MAX_PIXELS = 1024 * 1024;

  /** Stability AI names 0.25 to 2 megapixels for SD3.5 Medium, whose blocks are MMDiT-X. */
  private static final long MAX_PIXELS_OF_MMDIT_X = 2 * MAX_PIXELS;

  /** diffusers' {@code StableDiffusion3Pipeline} refuses longer prompts. */
  private static final int MAX_SEQUENCE_LENGTH = 512;

  private static final int DEFAULT_SEQUENCE_LENGTH = 256;

  private Sd3Limits() {}

  /** Limits and defaults; the model card decides before diffusers' own defaults. */
  public static PipelineLimits of(Checkpoint checkpoint) {
    int scale = AutoencoderKl.Config.of(checkpoint.config("vae")).scaleFactor();
    Sd3Config transformer = Sd3Config.of(checkpoint.config("transformer"));
    ModelCard card = ModelCard.of(checkpoint);
    int longest = longest(checkpoint);
    int multiple = Math.multiplyExact(scale, transformer.patchSize());
    int side = Math.multiplyExact(scale, transformer.sampleSize());
    return new PipelineLimits(
        multiple,
        Math.multiplyExact(multiple, transformer.positions()),
        transformer.dualAttentionLayers().isEmpty() ? MAX_PIXELS : MAX_PIXELS_OF_MMDIT_X,
        longest,
        ClassifierFreeGuidance.GUIDANCE_SCALE,
        new PipelineLimits.Defaults(
            card.count("width").orElse(side),
            card.count("height").orElse(side),
            card.count("num_inference_steps").orElse(28),
            card.number("guidance_scale").orElse(7),
            1,
            Math.min(longest, DEFAULT_SEQUENCE_LENGTH)));
  }

  private static int longest(Checkpoint checkpoint) {
    if (!hasT5(checkpoint)) {
      return MAX_SEQUENCE_LENGTH;
    }
    try (PromptTokenizer tokenizer = tokenizer(checkpoint)) {
      return Math.min(tokenizer.modelMaxLength(), MAX_SEQUENCE_LENGTH);
    }
  }

  /** Counts prompts in T5's tokens, or where it was left out in CLIP's, which reads fewer. */
  public static PromptLength promptLength(Checkpoint checkpoint) {
    PromptTokenizer tokenizer = tokenizer(checkpoint);
    return hasT5(checkpoint)
        ? new TokenizedLength(tokenizer)
        : new TokenizedLength(
            tokenizer,
            Math.min(
                tokenizer.modelMaxLength(), ClipTextEncoder.positions(checkpoint, "text_encoder")));
  }

  private static PromptTokenizer tokenizer(Checkpoint checkpoint) {
    return PromptTokenizer.open(
        checkpoint.component(hasT5(checkpoint) ? Sd3TextEncoders.T5_TOKENIZER : "tokenizer"));
  }

  private static boolean hasT5(Checkpoint checkpoint) {
    return checkpoint.components().contains(Sd3TextEncoders.T5);
  }
}
