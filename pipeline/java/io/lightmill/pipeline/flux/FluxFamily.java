package io.lightmill.pipeline.flux;

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
import java.util.Set;

/** FLUX.1, schnell and dev: diffusers' {@code FluxPipeline}. */
public final class FluxFamily implements Family {

  /** Black Forest Labs name 0.1 to 2.0 megapixels for FLUX.1. */
  private static final long MAX_PIXELS = 2 * 1024 * 1024;

  /** diffusers' {@code FluxPipeline} refuses longer prompts. */
  private static final int MAX_SEQUENCE_LENGTH = 512;

  @Override
  public String pipelineClass() {
    return "FluxPipeline";
  }

  @Override
  public PipelineLimits.Defaults callDefaults() {
    return new PipelineLimits.Defaults(1024, 1024, 28, 3.5, 1, MAX_SEQUENCE_LENGTH);
  }

  @Override
  public SamplingEfficiency efficient() {
    return SamplingEfficiency.parse("sea@0.3");
  }

  @Override
  public ClassifierFreeGuidance guidanceArgument() {
    return ClassifierFreeGuidance.TRUE_CFG_SCALE;
  }

  @Override
  public Guidance guidance(Checkpoint checkpoint) {
    return Guidance.of(guidanceArgument(), Guidance.Rule.LINEAR);
  }

  @Override
  public Bounds bounds(Checkpoint checkpoint) {
    int scale = vae(checkpoint).scaleFactor();
    boolean guided = FluxConfig.of(checkpoint.config("transformer")).guidanceEmbeds();
    try (PromptTokenizer tokenizer = tokenizer(checkpoint)) {
      return new Bounds(
          scale * TokenGrid.PATCH,
          Math.toIntExact(MAX_PIXELS),
          MAX_PIXELS,
          Math.min(tokenizer.modelMaxLength(), MAX_SEQUENCE_LENGTH),
          DEFAULT_SAMPLE_SIZE * scale,
          guided ? 28 : 4);
    }
  }

  /** Counts prompts in T5's tokens. */
  @Override
  public PromptLength promptLength(Checkpoint checkpoint) {
    return new TokenizedLength(tokenizer(checkpoint));
  }

  private static PromptTokenizer tokenizer(Checkpoint checkpoint) {
    return PromptTokenizer.open(checkpoint, "tokenizer_2");
  }

  @Override
  public Map<String, Set<String>> componentClasses() {
    return Map.of(
        "scheduler", Set.of(FlowMatchEulerDiscreteScheduler.CLASS_NAME),
        "text_encoder", TextClasses.CLIP,
        "text_encoder_2", TextClasses.T5,
        "tokenizer", TextClasses.CLIP_TOKENIZER,
        "tokenizer_2", TextClasses.T5_TOKENIZER,
        "transformer", Set.of("FluxTransformer2DModel"),
        "vae", Set.of(AutoencoderKl.PLAIN));
  }

  @Override
  public Schedule schedule(
      FlowMatchEulerDiscreteScheduler scheduler, int numInferenceSteps, int imageTokens) {
    return scheduler.linearOrOwn(numInferenceSteps, scheduler.mu(imageTokens));
  }

  @Override
  public Map<String, WeightLayout> networks(Checkpoint checkpoint) {
    return Map.of(
        "text_encoder", ClipTextEncoder.layout(checkpoint, "text_encoder"),
        "text_encoder_2", T5TextEncoder.layout(checkpoint, "text_encoder_2"),
        "transformer", FluxConfig.of(checkpoint.config("transformer")).layout(),
        "vae", AutoencoderKl.layout(checkpoint));
  }

  @Override
  public String originalLayerNames() {
    return """
    img_in = x_embedder
    txt_in = context_embedder
    time_in.in_layer = time_text_embed.timestep_embedder.linear_1
    time_in.out_layer = time_text_embed.timestep_embedder.linear_2
    vector_in.in_layer = time_text_embed.text_embedder.linear_1
    vector_in.out_layer = time_text_embed.text_embedder.linear_2
    guidance_in.in_layer = time_text_embed.guidance_embedder.linear_1
    guidance_in.out_layer = time_text_embed.guidance_embedder.linear_2
    double_blocks.*.img_mod.lin = transformer_blocks.*.norm1.linear
    double_blocks.*.txt_mod.lin = transformer_blocks.*.norm1_context.linear
    double_blocks.*.img_attn.qkv = transformer_blocks.*.attn.to_q transformer_blocks.*.attn.to_k transformer_blocks.*.attn.to_v
    double_blocks.*.txt_attn.qkv = transformer_blocks.*.attn.add_q_proj transformer_blocks.*.attn.add_k_proj transformer_blocks.*.attn.add_v_proj
    double_blocks.*.img_attn.proj = transformer_blocks.*.attn.to_out.0
    double_blocks.*.txt_attn.proj = transformer_blocks.*.attn.to_add_out
    double_blocks.*.img_mlp.0 = transformer_blocks.*.ff.net.0.proj
    double_blocks.*.img_mlp.2 = transformer_blocks.*.ff.net.2
    double_blocks.*.txt_mlp.0 = transformer_blocks.*.ff_context.net.0.proj
    double_blocks.*.txt_mlp.2 = transformer_blocks.*.ff_context.net.2
    single_blocks.*.modulation.lin = single_transformer_blocks.*.norm.linear
    single_blocks.*.linear1 = single_transformer_blocks.*.attn.to_q single_transformer_blocks.*.attn.to_k single_transformer_blocks.*.attn.to_v single_transformer_blocks.*.proj_mlp
    single_blocks.*.linear2 = single_transformer_blocks.*.proj_out
    final_layer.adaLN_modulation.1 = norm_out.linear[1/2] norm_out.linear[0/2]
    final_layer.linear = proj_out
    """;
  }

  @Override
  public void requireFit(ComponentFit fit, Map<String, WeightLayout> networks) {
    FluxConfig config = FluxConfig.of(fit.checkpoint().config("transformer"));
    int context = T5TextEncoder.width(networks.get("text_encoder_2"));
    fit.require("joint_attention_dim", config.contextWidth(), "text_encoder_2", context);
    int pooled = ClipTextEncoder.width(networks.get("text_encoder"));
    fit.require("pooled_projection_dim", config.pooledWidth(), "text_encoder", pooled);
    int packed = vae(fit.checkpoint()).latentChannels() * TokenGrid.PATCH * TokenGrid.PATCH;
    fit.require("in_channels", config.inChannels(), "vae", packed);
  }

  @Override
  public FlowNetworks load(Checkpoint checkpoint, WeightLoader loader) {
    try (Loading loading = new Loading()) {
      Networks networks =
          new Networks(
              loading.add(new FluxTextEncoders(checkpoint, loader)),
              loading.add(FluxTransformer.load(checkpoint, loader)),
              loading.add(AutoencoderKl.load(checkpoint, loader)));
      requireFit(new ComponentFit(checkpoint), networks(checkpoint));
      loading.complete();
      return networks;
    }
  }

  private record Networks(
      FluxTextEncoders textEncoders, FluxTransformer transformer, AutoencoderKl vae)
      implements FlowNetworks {

    @Override
    public LatentSpace latents() {
      AutoencoderKl.Config config = vae.config();
      return new LatentSpace(
          config.latentChannels(), config.scaleFactor(), TokenGrid.PATCH, /* packed= */ true);
    }

    @Override
    public PromptEmbeddings encode(PromptTexts texts, TensorProbe probe) {
      return textEncoders.encode(texts, probe);
    }

    @Override
    public Denoiser denoiser(
        PromptEmbeddings prompts, List<ImageRequest> batch, TokenGrid grid, float[] timesteps) {
      return transformer.denoiser(prompts, batch, grid, timesteps);
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
      textEncoders.close();
    }
  }
}
