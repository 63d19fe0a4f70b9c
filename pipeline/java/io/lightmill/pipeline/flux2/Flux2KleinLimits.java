package io.lightmill.pipeline.flux2;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.pipeline.PromptLength;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ModelCard;
import io.lightmill.pipeline.schedule.TokenGrid;
import io.lightmill.pipeline.text.ChatTemplate;
import io.lightmill.pipeline.text.PromptTokenizer;
import io.lightmill.pipeline.text.QwenTextEncoder;
import io.lightmill.pipeline.vae.AutoencoderKl;

/** What FLUX.2 klein checkpoints accept, known before any weight is loaded. */
public final class Flux2KleinLimits {

  /** The model is told that it has thought already. */
  static final ChatTemplate TEMPLATE = ChatTemplate.USER_TURN.followedBy("<think>\n\n</think>\n\n");

  /** Black Forest Labs name up to 4 megapixels for FLUX.2. */
  private static final long MAX_PIXELS = 4 * 1024 * 1024;

  /** The default of diffusers' pipeline, and the length that klein was trained with. */
  private static final int DEFAULT_SEQUENCE_LENGTH = 512;

  /** Latents along a side of diffusers' default picture: 1024 pixels at a scale factor of 8. */
  private static final int DEFAULT_SAMPLE_SIZE = 128;

  private Flux2KleinLimits() {}

  /** Limits and defaults; the model card decides before diffusers' own defaults. */
  public static PipelineLimits of(Checkpoint checkpoint) {
    int scale = AutoencoderKl.Config.of(checkpoint.config("vae")).scaleFactor();
    boolean distilled = Flux2KleinPipeline.distilled(checkpoint);
    ModelCard card = ModelCard.of(checkpoint);
    return new PipelineLimits(
        scale * TokenGrid.PATCH,
        Math.toIntExact(MAX_PIXELS),
        MAX_PIXELS,
        QwenTextEncoder.longestText(checkpoint, "text_encoder"),
        distilled ? ClassifierFreeGuidance.NONE : ClassifierFreeGuidance.GUIDANCE_SCALE,
        new PipelineLimits.Defaults(
            card.count("width").orElse(DEFAULT_SAMPLE_SIZE * scale),
            card.count("height").orElse(DEFAULT_SAMPLE_SIZE * scale),
            card.count("num_inference_steps").orElse(distilled ? 4 : 50),
            card.number("guidance_scale").orElse(4),
            card.number("true_cfg_scale").orElse(1),
            DEFAULT_SEQUENCE_LENGTH));
  }

  /** Counts prompts in the text encoder's tokens, its chat template included. */
  public static PromptLength promptLength(Checkpoint checkpoint) {
    return TEMPLATE.lengthIn(PromptTokenizer.open(checkpoint.component("tokenizer")), 0);
  }
}
