package io.lightmill.pipeline.zimage;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.pipeline.PromptLength;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ModelCard;
import io.lightmill.pipeline.schedule.TokenGrid;
import io.lightmill.pipeline.text.PromptTokenizer;
import io.lightmill.pipeline.text.QwenTextEncoder;
import io.lightmill.pipeline.vae.AutoencoderKl;

/** What Z-Image checkpoints accept, known before any weight is loaded. */
public final class ZImageLimits {

  /** Alibaba names 512×512 to 2048×2048 pixels for Z-Image. */
  private static final long MAX_PIXELS = 2048 * 2048;

  /** The default of diffusers' pipeline, and the length that Z-Image was trained with. */
  private static final int DEFAULT_SEQUENCE_LENGTH = 512;

  private static final int DEFAULT_SIDE = 1024;

  private ZImageLimits() {}

  /** Limits and defaults; the model card decides before diffusers' own defaults. */
  public static PipelineLimits of(Checkpoint checkpoint) {
    int scale = AutoencoderKl.Config.of(checkpoint.config("vae")).scaleFactor();
    ModelCard card = ModelCard.of(checkpoint);
    return new PipelineLimits(
        scale * TokenGrid.PATCH,
        Math.toIntExact(MAX_PIXELS),
        MAX_PIXELS,
        Math.min(
            QwenTextEncoder.longestText(checkpoint, "text_encoder"),
            ZImageConfig.longestCaption(checkpoint.config("transformer"))),
        ClassifierFreeGuidance.POSITIVE_GUIDANCE_SCALE,
        new PipelineLimits.Defaults(
            card.count("width").orElse(DEFAULT_SIDE),
            card.count("height").orElse(DEFAULT_SIDE),
            card.count("num_inference_steps").orElse(50),
            card.number("guidance_scale").orElse(5),
            card.number("true_cfg_scale").orElse(1),
            DEFAULT_SEQUENCE_LENGTH));
  }

  /** Counts prompts in the text encoder's tokens, its chat template included. */
  public static PromptLength promptLength(Checkpoint checkpoint) {
    return ZImagePipeline.TEMPLATE.lengthIn(
        PromptTokenizer.open(checkpoint.component("tokenizer")), 0);
  }
}
