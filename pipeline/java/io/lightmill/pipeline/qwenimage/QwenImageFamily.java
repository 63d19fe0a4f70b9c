package io.lightmill.pipeline.qwenimage;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.pipeline.PromptLength;
import io.lightmill.pipeline.SamplingEfficiency;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ComponentFit;
import io.lightmill.pipeline.checkpoint.Loading;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.flow.Denoiser;
import io.lightmill.pipeline.flow.Family;
import io.lightmill.pipeline.flow.FlowNetworks;
import io.lightmill.pipeline.flow.Guidance;
import io.lightmill.pipeline.flow.LatentSpace;
import io.lightmill.pipeline.flow.PromptEmbeddings;
import io.lightmill.pipeline.flow.PromptTexts;
import io.lightmill.pipeline.flow.TokenGrid;
import io.lightmill.pipeline.schedule.FlowMatchEulerDiscreteScheduler;
import io.lightmill.pipeline.text.ChatTemplate;
import io.lightmill.pipeline.text.PromptTokenizer;
import io.lightmill.pipeline.text.QwenPromptReader;
import io.lightmill.pipeline.text.QwenPrompts;
import io.lightmill.pipeline.text.QwenTextEncoder;
import io.lightmill.pipeline.text.TextClasses;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import io.lightmill.pipeline.vae.AutoencoderKlQwenImage;
import io.lightmill.pipeline.vae.VaeConfig;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Qwen-Image: diffusers' {@code QwenImagePipeline}. */
public final class QwenImageFamily implements Family {

  /** The prompt that Qwen-Image was trained with. */
  private static final ChatTemplate TEMPLATE =
      new ChatTemplate(
          "<|im_start|>system\n"
              + "Describe the image by detailing the color, shape, size, texture, quantity, text,"
              + " spatial relationships of the objects and background:<|im_end|>\n"
              + ChatTemplate.USER_TURN.before(),
          ChatTemplate.USER_TURN.after());

  /** Tokens of the template before the prompt, which the transformer does not read. */
  private static final int TEMPLATE_TOKENS = 34;

  /** Tokens that diffusers' {@code QwenImagePipeline} encodes, even where it then uses fewer. */
  private static final int ENCODED_TOKENS = 1024;

  /** Qwen lists images of up to 1.8 megapixels; fine-tunes go to twice that. */
  private static final long MAX_PIXELS = 2048 * 2048;

  /** The hidden state after the text encoder's final norm. */
  private static final List<Integer> STATES = List.of(-1);

  @Override
  public String pipelineClass() {
    return "QwenImagePipeline";
  }

  @Override
  public PipelineLimits.Defaults callDefaults() {
    return new PipelineLimits.Defaults(1024, 1024, 50, 1, 4, 512);
  }

  @Override
  public SamplingEfficiency efficient() {
    return SamplingEfficiency.parse("sea@0.3");
  }

  @Override
  public ClassifierFreeGuidance guidanceArgument() {
    return ClassifierFreeGuidance.TRUE_CFG_SCALE;
  }

  /** Each token keeps the norm of its velocity under the prompt. */
  @Override
  public Guidance guidance(Checkpoint checkpoint) {
    return Guidance.of(guidanceArgument(), QwenImageTransformer.NORM_KEEPING);
  }

  @Override
  public VaeConfig vae(Checkpoint checkpoint) {
    return AutoencoderKlQwenImage.Config.of(checkpoint.config("vae"));
  }

  @Override
  public Bounds bounds(Checkpoint checkpoint) {
    int scale = vae(checkpoint).scaleFactor();
    return new Bounds(
        scale * TokenGrid.PATCH,
        Math.toIntExact(MAX_PIXELS),
        MAX_PIXELS,
        QwenTextEncoder.longestText(checkpoint, "text_encoder") - TEMPLATE_TOKENS,
        DEFAULT_SAMPLE_SIZE * scale,
        50);
  }

  /** Counts prompts in the text encoder's tokens, with those of the template after them. */
  @Override
  public PromptLength promptLength(Checkpoint checkpoint) {
    return TEMPLATE.lengthIn(PromptTokenizer.open(checkpoint, "tokenizer"), TEMPLATE_TOKENS);
  }

  @Override
  public Map<String, Set<String>> componentClasses() {
    return Map.of(
        "scheduler", Set.of(FlowMatchEulerDiscreteScheduler.CLASS_NAME),
        "text_encoder", TextClasses.QWEN2_5_VL,
        "tokenizer", TextClasses.QWEN2_TOKENIZER,
        "transformer", Set.of("QwenImageTransformer2DModel"),
        "vae", Set.of("AutoencoderKLQwenImage"));
  }

  @Override
  public Map<String, WeightLayout> networks(Checkpoint checkpoint) {
    return Map.of(
        "text_encoder", QwenTextEncoder.layout(checkpoint, "text_encoder", STATES),
        "transformer", QwenImageConfig.of(checkpoint.config("transformer")).layout(),
        "vae", AutoencoderKlQwenImage.layout(checkpoint));
  }

  @Override
  public void requireFit(ComponentFit fit, Map<String, WeightLayout> networks) {
    QwenImageConfig config = QwenImageConfig.of(fit.checkpoint().config("transformer"));
    int context = QwenTextEncoder.width(networks.get("text_encoder"), STATES);
    fit.require("joint_attention_dim", config.contextWidth(), "text_encoder", context);
    int packed = vae(fit.checkpoint()).latentChannels() * TokenGrid.PATCH * TokenGrid.PATCH;
    fit.require("in_channels", config.inChannels(), "vae", packed);
  }

  @Override
  public FlowNetworks load(Checkpoint checkpoint, WeightLoader loader) {
    try (Loading loading = new Loading()) {
      Networks networks =
          new Networks(
              loading.add(new QwenPromptReader(checkpoint, loader, TEMPLATE, STATES)),
              loading.add(QwenImageTransformer.load(checkpoint, loader)),
              loading.add(AutoencoderKlQwenImage.load(checkpoint, loader)));
      requireFit(new ComponentFit(checkpoint), networks(checkpoint));
      loading.complete();
      return networks;
    }
  }

  private record Networks(
      QwenPromptReader textEncoder, QwenImageTransformer transformer, AutoencoderKlQwenImage vae)
      implements FlowNetworks {

    @Override
    public LatentSpace latents() {
      AutoencoderKlQwenImage.Config config = vae.config();
      return new LatentSpace(
          config.latentChannels(), config.scaleFactor(), TokenGrid.PATCH, /* packed= */ true);
    }

    @Override
    public PromptEmbeddings encode(PromptTexts texts, TensorProbe probe) {
      int used = texts.maxSequenceLength();
      int most = Math.max(ENCODED_TOKENS, used) + TEMPLATE_TOKENS;
      int length = Math.min(textEncoder.longest(texts.prompts()), most);
      try (QwenPrompts prompts = textEncoder.read(texts.prompts(), length)) {
        probe.record("tok.tokenizer.%d.input_ids".formatted(texts.call()), prompts.ids());
        probe.record(
            "te.text_encoder.%d.hidden_states.-1".formatted(texts.call()), prompts.states());
        return QwenImageTransformer.context(prompts, TEMPLATE_TOKENS, used);
      }
    }

    @Override
    public Denoiser denoiser(
        PromptEmbeddings prompts, List<ImageRequest> batch, TokenGrid grid, float[] timesteps) {
      return transformer.denoiser(prompts, grid);
    }

    @Override
    public Tensor pack(Tensor latents) {
      return TokenGrid.pack(latents);
    }

    @Override
    public Tensor decode(Tensor latents, TokenGrid grid, TensorProbe probe) {
      try (Tensor unpacked = grid.unpack(latents)) {
        return vae.decode(unpacked, probe);
      }
    }

    @Override
    public void close() {
      vae.close();
      transformer.close();
      textEncoder.close();
    }
  }
}
