package io.lightmill.pipeline.stablediffusion3;

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
import io.lightmill.pipeline.schedule.Schedule;
import io.lightmill.pipeline.text.ClipTextEncoder;
import io.lightmill.pipeline.text.PromptTokenizer;
import io.lightmill.pipeline.text.T5TextEncoder;
import io.lightmill.pipeline.text.TextClasses;
import io.lightmill.pipeline.text.TokenizedLength;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import io.lightmill.pipeline.vae.AutoencoderKl;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeMap;

/** Stable Diffusion 3 and 3.5: diffusers' {@code StableDiffusion3Pipeline}. */
public final class StableDiffusion3Family implements Family {

  /** Stability AI names 1 megapixel for SD3 Medium and SD3.5 Large. */
  private static final long MAX_PIXELS = 1024 * 1024;

  /** Stability AI names 0.25 to 2 megapixels for SD3.5 Medium, whose blocks are MMDiT-X. */
  private static final long MAX_PIXELS_OF_MMDIT_X = 2 * MAX_PIXELS;

  /** diffusers' {@code StableDiffusion3Pipeline} refuses longer prompts. */
  private static final int MAX_SEQUENCE_LENGTH = 512;

  @Override
  public String pipelineClass() {
    return "StableDiffusion3Pipeline";
  }

  @Override
  public PipelineLimits.Defaults callDefaults() {
    return new PipelineLimits.Defaults(1024, 1024, 28, 7, 1, 256);
  }

  @Override
  public SamplingEfficiency efficient() {
    return SamplingEfficiency.parse("sea@0.3");
  }

  @Override
  public ClassifierFreeGuidance guidanceArgument() {
    return ClassifierFreeGuidance.GUIDANCE_SCALE;
  }

  @Override
  public Guidance guidance(Checkpoint checkpoint) {
    return Guidance.of(guidanceArgument(), Guidance.Rule.LINEAR).inOneCall();
  }

  @Override
  public Bounds bounds(Checkpoint checkpoint) {
    int scale = vae(checkpoint).scaleFactor();
    Sd3Config transformer = Sd3Config.of(checkpoint.config("transformer"));
    int multiple = Math.multiplyExact(scale, transformer.patchSize());
    return new Bounds(
        multiple,
        Math.multiplyExact(multiple, transformer.positions()),
        transformer.dualAttentionLayers().isEmpty() ? MAX_PIXELS : MAX_PIXELS_OF_MMDIT_X,
        longest(checkpoint),
        Math.multiplyExact(scale, transformer.sampleSize()),
        28);
  }

  private static int longest(Checkpoint checkpoint) {
    if (!hasT5(checkpoint)) {
      return MAX_SEQUENCE_LENGTH;
    }
    try (PromptTokenizer tokenizer = tokenizer(checkpoint)) {
      return Math.min(tokenizer.modelMaxLength(), MAX_SEQUENCE_LENGTH);
    }
  }

  /** Counts prompts in T5's tokens; without T5 in those of CLIP, which reads fewer. */
  @Override
  public PromptLength promptLength(Checkpoint checkpoint) {
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
        checkpoint, hasT5(checkpoint) ? Sd3TextEncoders.T5_TOKENIZER : "tokenizer");
  }

  private static boolean hasT5(Checkpoint checkpoint) {
    return checkpoint.components().contains(Sd3TextEncoders.T5);
  }

  @Override
  public Map<String, Set<String>> componentClasses() {
    return Map.of(
        "scheduler",
        Set.of(FlowMatchEulerDiscreteScheduler.CLASS_NAME),
        "text_encoder",
        TextClasses.CLIP_WITH_PROJECTION,
        "text_encoder_2",
        TextClasses.CLIP_WITH_PROJECTION,
        Sd3TextEncoders.T5,
        TextClasses.T5,
        "tokenizer",
        TextClasses.CLIP_TOKENIZER,
        "tokenizer_2",
        TextClasses.CLIP_TOKENIZER,
        Sd3TextEncoders.T5_TOKENIZER,
        TextClasses.T5_TOKENIZER,
        "transformer",
        Set.of("SD3Transformer2DModel"),
        "vae",
        Set.of(AutoencoderKl.PLAIN));
  }

  @Override
  public Map<String, WeightLayout> networks(Checkpoint checkpoint) {
    Map<String, WeightLayout> networks = new TreeMap<>();
    for (String clip : List.of("text_encoder", "text_encoder_2")) {
      networks.put(clip, ClipTextEncoder.layoutWithProjection(checkpoint, clip));
    }
    if (hasT5(checkpoint)) {
      networks.put(Sd3TextEncoders.T5, T5TextEncoder.layout(checkpoint, Sd3TextEncoders.T5));
    }
    networks.put("transformer", Sd3Config.of(checkpoint.config("transformer")).layout());
    networks.put("vae", AutoencoderKl.layout(checkpoint));
    return networks;
  }

  @Override
  public String originalLayerNames() {
    return """
    context_embedder = context_embedder
    t_embedder.mlp.0 = time_text_embed.timestep_embedder.linear_1
    t_embedder.mlp.2 = time_text_embed.timestep_embedder.linear_2
    y_embedder.mlp.0 = time_text_embed.text_embedder.linear_1
    y_embedder.mlp.2 = time_text_embed.text_embedder.linear_2
    joint_blocks.*.x_block.attn.qkv = transformer_blocks.*.attn.to_q transformer_blocks.*.attn.to_k transformer_blocks.*.attn.to_v
    joint_blocks.*.x_block.attn.proj = transformer_blocks.*.attn.to_out.0
    joint_blocks.*.x_block.attn2.qkv = transformer_blocks.*.attn2.to_q transformer_blocks.*.attn2.to_k transformer_blocks.*.attn2.to_v
    joint_blocks.*.x_block.attn2.proj = transformer_blocks.*.attn2.to_out.0
    joint_blocks.*.x_block.mlp.fc1 = transformer_blocks.*.ff.net.0.proj
    joint_blocks.*.x_block.mlp.fc2 = transformer_blocks.*.ff.net.2
    joint_blocks.*.x_block.adaLN_modulation.1 = transformer_blocks.*.norm1.linear
    joint_blocks.*.context_block.attn.qkv = transformer_blocks.*.attn.add_q_proj transformer_blocks.*.attn.add_k_proj transformer_blocks.*.attn.add_v_proj
    joint_blocks.*.context_block.attn.proj = transformer_blocks.*.attn.to_add_out
    joint_blocks.*.context_block.mlp.fc1 = transformer_blocks.*.ff_context.net.0.proj
    joint_blocks.*.context_block.mlp.fc2 = transformer_blocks.*.ff_context.net.2
    joint_blocks.*.context_block.adaLN_modulation.1 = transformer_blocks.*.norm1_context.linear
    joint_blocks.$.context_block.adaLN_modulation.1 = transformer_blocks.$.norm1_context.linear[1/2] transformer_blocks.$.norm1_context.linear[0/2]
    final_layer.adaLN_modulation.1 = norm_out.linear[1/2] norm_out.linear[0/2]
    final_layer.linear = proj_out
    """;
  }

  /** The scheduler's own sigmas; shifted by the image's tokens if the checkpoint says so. */
  @Override
  public Schedule schedule(
      FlowMatchEulerDiscreteScheduler scheduler, int numInferenceSteps, int imageTokens) {
    return scheduler.schedule(
        numInferenceSteps, Optional.empty(), OptionalDouble.of(scheduler.mu(imageTokens)));
  }

  @Override
  public void requireFit(ComponentFit fit, Map<String, WeightLayout> networks) {
    Sd3Config config = Sd3Config.of(fit.checkpoint().config("transformer"));
    WeightLayout clip = networks.get("text_encoder");
    WeightLayout clip2 = networks.get("text_encoder_2");
    int pooled = ClipTextEncoder.projectionWidth(clip) + ClipTextEncoder.projectionWidth(clip2);
    fit.require("pooled_projection_dim", config.pooledWidth(), "text_encoder_2", pooled);
    if (networks.containsKey(Sd3TextEncoders.T5)) {
      int words = T5TextEncoder.width(networks.get(Sd3TextEncoders.T5));
      fit.require("joint_attention_dim", config.contextWidth(), Sd3TextEncoders.T5, words);
    }
    int features = ClipTextEncoder.width(clip) + ClipTextEncoder.width(clip2);
    if (features > config.contextWidth()) {
      fit.require("joint_attention_dim", config.contextWidth(), "text_encoder_2", features);
    }
    int latents = vae(fit.checkpoint()).latentChannels();
    fit.require("in_channels", config.channels(), "vae", latents);
  }

  @Override
  public FlowNetworks load(Checkpoint checkpoint, WeightLoader loader) {
    try (Loading loading = new Loading()) {
      Sd3Transformer transformer = loading.add(Sd3Transformer.load(checkpoint, loader));
      Sd3TextEncoders textEncoders =
          loading.add(new Sd3TextEncoders(checkpoint, transformer.config(), loader));
      AutoencoderKl vae = loading.add(AutoencoderKl.load(checkpoint, loader));
      requireFit(new ComponentFit(checkpoint), networks(checkpoint));
      loading.complete();
      return new Networks(textEncoders, transformer, vae);
    }
  }

  private record Networks(
      Sd3TextEncoders textEncoders, Sd3Transformer transformer, AutoencoderKl vae)
      implements FlowNetworks {

    @Override
    public LatentSpace latents() {
      Sd3Config config = transformer.config();
      return new LatentSpace(
          config.channels(), vae.config().scaleFactor(), config.patchSize(), /* packed= */ false);
    }

    @Override
    public PromptEmbeddings encode(PromptTexts texts, TensorProbe probe) {
      return textEncoders.encode(texts, probe);
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
      textEncoders.close();
      transformer.close();
    }
  }
}
