package io.lightmill.pipeline.zimage;

import com.fasterxml.jackson.databind.JsonNode;
import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.pipeline.PromptLength;
import io.lightmill.pipeline.SamplingEfficiency;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.ComponentFit;
import io.lightmill.pipeline.checkpoint.Loading;
import io.lightmill.pipeline.checkpoint.ModelCard;
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
import io.lightmill.pipeline.schedule.Schedule;
import io.lightmill.pipeline.text.ChatTemplate;
import io.lightmill.pipeline.text.PromptTokenizer;
import io.lightmill.pipeline.text.QwenPromptReader;
import io.lightmill.pipeline.text.QwenPrompts;
import io.lightmill.pipeline.text.QwenTextEncoder;
import io.lightmill.pipeline.text.TextClasses;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import io.lightmill.pipeline.vae.AutoencoderKl;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;

/** Z-Image and its distilled Turbo: diffusers' {@code ZImagePipeline}. */
public final class ZImageFamily implements Family {

  /** Alibaba names 512×512 to 2048×2048 pixels for Z-Image. */
  private static final long MAX_PIXELS = 2048 * 2048;

  private static final int DEFAULT_SIDE = 1024;

  private static final ChatTemplate TEMPLATE = ChatTemplate.USER_TURN;

  /** The hidden state that is the input of the text encoder's last layer. */
  private static final List<Integer> STATES = List.of(-2);

  private static final String NORMALIZATION = "cfg_normalization";
  private static final String TRUNCATION = "cfg_truncation";

  @Override
  public String pipelineClass() {
    return "ZImagePipeline";
  }

  /** Z-Image was trained with the default sequence length. */
  @Override
  public PipelineLimits.Defaults callDefaults() {
    return new PipelineLimits.Defaults(DEFAULT_SIDE, DEFAULT_SIDE, 50, 5, 1, 512);
  }

  @Override
  public SamplingEfficiency efficient() {
    return SamplingEfficiency.parse("sea@0.3");
  }

  @Override
  public ClassifierFreeGuidance guidanceArgument() {
    return ClassifierFreeGuidance.POSITIVE_GUIDANCE_SCALE;
  }

  /** The model card may give the settings. */
  @Override
  public Guidance guidance(Checkpoint checkpoint) {
    Guidance ofDiffusers =
        Guidance.of(guidanceArgument(), ZImageTransformer.NORM_LIMITED).within(0, 1);
    return guidance(ofDiffusers, ModelCard.of(checkpoint).settings());
  }

  @Override
  public Guidance guidance(Guidance current, ComponentConfig given) {
    return current.within(
        factor(given, current.normLimit()), given.number(TRUNCATION, current.truncation()));
  }

  /** A number; true stands for 1 and false for 0. */
  private static double factor(ComponentConfig given, double absent) {
    JsonNode value = given.json().path(NORMALIZATION);
    return value.isBoolean()
        ? (given.flag(NORMALIZATION, false) ? 1 : 0)
        : given.number(NORMALIZATION, absent);
  }

  @Override
  public Set<String> settings() {
    return Set.of(NORMALIZATION, TRUNCATION);
  }

  @Override
  public Bounds bounds(Checkpoint checkpoint) {
    int scale = vae(checkpoint).scaleFactor();
    return new Bounds(
        scale * TokenGrid.PATCH,
        Math.toIntExact(MAX_PIXELS),
        MAX_PIXELS,
        Math.min(
            QwenTextEncoder.longestText(checkpoint, "text_encoder"),
            ZImageConfig.longestCaption(checkpoint.config("transformer"))),
        DEFAULT_SIDE,
        50);
  }

  /** Counts prompts in the text encoder's tokens, its chat template included. */
  @Override
  public PromptLength promptLength(Checkpoint checkpoint) {
    return TEMPLATE.lengthIn(PromptTokenizer.open(checkpoint, "tokenizer"), 0);
  }

  @Override
  public Map<String, Set<String>> componentClasses() {
    return Map.of(
        "scheduler", Set.of(FlowMatchEulerDiscreteScheduler.CLASS_NAME),
        "text_encoder", TextClasses.QWEN3,
        "tokenizer", TextClasses.QWEN2_TOKENIZER,
        "transformer", Set.of("ZImageTransformer2DModel"),
        "vae", Set.of(AutoencoderKl.PLAIN));
  }

  @Override
  public Map<String, WeightLayout> networks(Checkpoint checkpoint) {
    return Map.of(
        "text_encoder", QwenTextEncoder.layout(checkpoint, "text_encoder", STATES),
        "transformer", ZImageConfig.of(checkpoint.config("transformer")).layout(),
        "vae", AutoencoderKl.layout(checkpoint));
  }

  @Override
  public String originalLayerNames() {
    return """
    x_embedder = all_x_embedder.2-1
    layers.*.attention.qkv = layers.*.attention.to_q layers.*.attention.to_k layers.*.attention.to_v
    layers.*.attention.out = layers.*.attention.to_out.0
    noise_refiner.*.attention.qkv = noise_refiner.*.attention.to_q noise_refiner.*.attention.to_k noise_refiner.*.attention.to_v
    noise_refiner.*.attention.out = noise_refiner.*.attention.to_out.0
    context_refiner.*.attention.qkv = context_refiner.*.attention.to_q context_refiner.*.attention.to_k context_refiner.*.attention.to_v
    context_refiner.*.attention.out = context_refiner.*.attention.to_out.0
    final_layer.linear = all_final_layer.2-1.linear
    final_layer.adaLN_modulation.1 = all_final_layer.2-1.adaLN_modulation.1
    """;
  }

  @Override
  public Schedule schedule(
      FlowMatchEulerDiscreteScheduler scheduler, int numInferenceSteps, int imageTokens) {
    double[] sigmas = FlowMatchEulerDiscreteScheduler.linearSigmasOfTorch(numInferenceSteps);
    return scheduler.schedule(
        numInferenceSteps, Optional.of(sigmas), OptionalDouble.of(scheduler.mu(imageTokens)));
  }

  @Override
  public void requireFit(ComponentFit fit, Map<String, WeightLayout> networks) {
    ZImageConfig config = ZImageConfig.of(fit.checkpoint().config("transformer"));
    int caption = QwenTextEncoder.width(networks.get("text_encoder"), STATES);
    fit.require("cap_feat_dim", config.captionWidth(), "text_encoder", caption);
    int latents = vae(fit.checkpoint()).latentChannels();
    fit.require("in_channels", config.inChannels(), "vae", latents);
  }

  @Override
  public FlowNetworks load(Checkpoint checkpoint, WeightLoader loader) {
    try (Loading loading = new Loading()) {
      Networks networks =
          new Networks(
              loading.add(new QwenPromptReader(checkpoint, loader, TEMPLATE, STATES)),
              loading.add(ZImageTransformer.load(checkpoint, loader)),
              loading.add(AutoencoderKl.load(checkpoint, loader)));
      requireFit(new ComponentFit(checkpoint), networks(checkpoint));
      loading.complete();
      return networks;
    }
  }

  private record Networks(
      QwenPromptReader textEncoder, ZImageTransformer transformer, AutoencoderKl vae)
      implements FlowNetworks {

    @Override
    public LatentSpace latents() {
      AutoencoderKl.Config config = vae.config();
      return new LatentSpace(
          config.latentChannels(), config.scaleFactor(), TokenGrid.PATCH, /* packed= */ false);
    }

    @Override
    public PromptEmbeddings encode(PromptTexts texts, TensorProbe probe) {
      try (QwenPrompts prompts = textEncoder.read(texts.prompts(), texts.maxSequenceLength())) {
        probe.record("tok.tokenizer.%d.input_ids".formatted(texts.call()), prompts.ids());
        probe.record(
            "te.text_encoder.%d.hidden_states.-2".formatted(texts.call()), prompts.states());
        return new PromptEmbeddings(
            Tensor.cat(List.of(prompts.states())), Optional.empty(), prompts.lengths());
      }
    }

    @Override
    public Denoiser denoiser(
        PromptEmbeddings prompts, List<ImageRequest> batch, TokenGrid grid, float[] timesteps) {
      return transformer.denoiser(prompts, grid);
    }

    @Override
    public Tensor decode(Tensor latents, TokenGrid grid, TensorProbe probe) {
      return vae.decode(latents, probe);
    }

    @Override
    public void close() {
      vae.close();
      transformer.close();
      textEncoder.close();
    }
  }
}
