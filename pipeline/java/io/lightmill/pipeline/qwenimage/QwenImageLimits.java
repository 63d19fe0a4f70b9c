package io.lightmill.pipeline.qwenimage;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.pipeline.PromptLength;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ModelCard;
import io.lightmill.pipeline.schedule.TokenGrid;
import io.lightmill.pipeline.text.ChatTemplate;
import io.lightmill.pipeline.text.PromptTokenizer;
import io.lightmill.pipeline.text.QwenTextEncoder;
import io.lightmill.pipeline.vae.AutoencoderKlQwenImage;

/** What Qwen-Image checkpoints accept, known before any weight is loaded. */
public final class QwenImageLimits {

  /** The prompt of Qwen-Image's training. */
  static final ChatTemplate TEMPLATE =
      new ChatTemplate(
          "<|im_start|>system\n"
              + "Describe the image by detailing the color, shape, size, texture, quantity, text,"
              + " spatial relationships of the objects and background:<|im_end|>\n"
              + ChatTemplate.USER_TURN.before(),
          ChatTemplate.USER_TURN.after());

  /** Tokens of the template before the prompt, which the transformer does not read. */
  static final int TEMPLATE_TOKENS = 34;

  /** Tokens that diffusers' {@code QwenImagePipeline} has read, even where it then uses fewer. */
  static final int USUAL_TOKENS = 1024;

  /** The default of diffusers' pipeline. */
  private static final int DEFAULT_SEQUENCE_LENGTH = 512;

  /** Qwen lists pictures of up to 1.8 megapixels; fine-tunes go to twice that. */
  private static final long MAX_PIXELS = 2048 * 2048;

  /** Latents along a side of diffusers' default picture: 1024 pixels at a scale factor of 8. */
  private static final int DEFAULT_SAMPLE_SIZE = 128;

  private QwenImageLimits() {}

  /** Limits and defaults; the model card decides before diffusers' own defaults. */
  public static PipelineLimits of(Checkpoint checkpoint) {
    int scale = AutoencoderKlQwenImage.Config.of(checkpoint.config("vae")).scaleFactor();
    ModelCard card = ModelCard.of(checkpoint);
    return new PipelineLimits(
        scale * TokenGrid.PATCH,
        Math.toIntExact(MAX_PIXELS),
        MAX_PIXELS,
        QwenTextEncoder.longestText(checkpoint, "text_encoder") - TEMPLATE_TOKENS,
        ClassifierFreeGuidance.TRUE_CFG_SCALE,
        new PipelineLimits.Defaults(
            card.count("width").orElse(DEFAULT_SAMPLE_SIZE * scale),
            card.count("height").orElse(DEFAULT_SAMPLE_SIZE * scale),
            card.count("num_inference_steps").orElse(50),
            card.number("guidance_scale").orElse(1),
            card.number("true_cfg_scale").orElse(4),
            DEFAULT_SEQUENCE_LENGTH));
  }

  /** Counts prompts in the text encoder's tokens, with what the template adds behind them. */
  public static PromptLength promptLength(Checkpoint checkpoint) {
    return TEMPLATE.lengthIn(
        PromptTokenizer.open(checkpoint.component("tokenizer")), TEMPLATE_TOKENS);
  }
}
