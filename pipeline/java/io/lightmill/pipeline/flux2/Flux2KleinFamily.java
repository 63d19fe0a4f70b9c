package io.lightmill.pipeline.flux2;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.pipeline.PromptLength;
import io.lightmill.pipeline.SamplingEfficiency;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
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
import java.util.Set;

/** FLUX.2 klein, distilled and base: diffusers' {@code Flux2KleinPipeline}. */
public final class Flux2KleinFamily implements Family {

  /** The template ends as if the model had finished its reasoning. */
  private static final ChatTemplate TEMPLATE =
      ChatTemplate.USER_TURN.followedBy("<think>\n\n</think>\n\n");

  /** Black Forest Labs name up to 4 megapixels for FLUX.2. */
  private static final long MAX_PIXELS = 4 * 1024 * 1024;

  /** Hidden states of the text encoder that the transformer reads side by side. */
  private static final List<Integer> STATES = List.of(9, 18, 27);

  private static final String DISTILLED = "is_distilled";

  @Override
  public String pipelineClass() {
    return "Flux2KleinPipeline";
  }

  /** klein was trained with the default sequence length. */
  @Override
  public PipelineLimits.Defaults callDefaults() {
    return new PipelineLimits.Defaults(1024, 1024, 50, 4, 1, 512);
  }

  @Override
  public SamplingEfficiency efficient() {
    return SamplingEfficiency.parse("sea@0.3");
  }

  @Override
  public ClassifierFreeGuidance guidanceArgument() {
    return ClassifierFreeGuidance.GUIDANCE_SCALE;
  }

  /** Distilled checkpoints are not guided, whatever the scale. */
  @Override
  public Guidance guidance(Checkpoint checkpoint) {
    return guidance(Guidance.of(guidanceArgument(), Guidance.Rule.LINEAR), checkpoint.index());
  }

  @Override
  public Guidance guidance(Guidance current, ComponentConfig given) {
    boolean now = current.argument() == ClassifierFreeGuidance.NONE;
    return current.by(
        given.flag(DISTILLED, now) ? ClassifierFreeGuidance.NONE : guidanceArgument());
  }

  @Override
  public Set<String> settings() {
    return Set.of(DISTILLED);
  }

  @Override
  public Map<String, Set<String>> componentClasses() {
    return Map.of(
        "scheduler", Set.of(FlowMatchEulerDiscreteScheduler.CLASS_NAME),
        "text_encoder", TextClasses.QWEN3,
        "tokenizer", TextClasses.QWEN2_TOKENIZER,
        "transformer", Set.of("Flux2Transformer2DModel"),
        "vae", Set.of(AutoencoderKl.FLUX2));
  }

  @Override
  public Set<String> indexKeys() {
    return settings();
  }

  @Override
  public Bounds bounds(Checkpoint checkpoint) {
    int scale = vae(checkpoint).scaleFactor();
    return new Bounds(
        scale * TokenGrid.PATCH,
        Math.toIntExact(MAX_PIXELS),
        MAX_PIXELS,
        QwenTextEncoder.longestText(checkpoint, "text_encoder"),
        DEFAULT_SAMPLE_SIZE * scale,
        checkpoint.index().flag(DISTILLED, false) ? 4 : 50);
  }

  /** Counts prompts in the text encoder's tokens, its chat template included. */
  @Override
  public PromptLength promptLength(Checkpoint checkpoint) {
    return TEMPLATE.lengthIn(PromptTokenizer.open(checkpoint, "tokenizer"), 0);
  }

  @Override
  public Map<String, WeightLayout> networks(Checkpoint checkpoint) {
    return Map.of(
        "text_encoder", QwenTextEncoder.layout(checkpoint, "text_encoder", STATES),
        "transformer", Flux2Config.of(checkpoint.config("transformer")).layout(),
        "vae", Flux2Decoder.layout(checkpoint));
  }

  @Override
  public String originalLayerNames() {
    return """
    img_in = x_embedder
    txt_in = context_embedder
    time_in.in_layer = time_guidance_embed.timestep_embedder.linear_1
    time_in.out_layer = time_guidance_embed.timestep_embedder.linear_2
    double_stream_modulation_img.lin = double_stream_modulation_img.linear
    double_stream_modulation_txt.lin = double_stream_modulation_txt.linear
    single_stream_modulation.lin = single_stream_modulation.linear
    double_blocks.*.img_attn.qkv = transformer_blocks.*.attn.to_q transformer_blocks.*.attn.to_k transformer_blocks.*.attn.to_v
    double_blocks.*.txt_attn.qkv = transformer_blocks.*.attn.add_q_proj transformer_blocks.*.attn.add_k_proj transformer_blocks.*.attn.add_v_proj
    double_blocks.*.img_attn.proj = transformer_blocks.*.attn.to_out.0
    double_blocks.*.txt_attn.proj = transformer_blocks.*.attn.to_add_out
    double_blocks.*.img_mlp.0 = transformer_blocks.*.ff.linear_in
    double_blocks.*.img_mlp.2 = transformer_blocks.*.ff.linear_out
    double_blocks.*.txt_mlp.0 = transformer_blocks.*.ff_context.linear_in
    double_blocks.*.txt_mlp.2 = transformer_blocks.*.ff_context.linear_out
    single_blocks.*.linear1 = single_transformer_blocks.*.attn.to_qkv_mlp_proj
    single_blocks.*.linear2 = single_transformer_blocks.*.attn.to_out
    final_layer.adaLN_modulation.1 = norm_out.linear[1/2] norm_out.linear[0/2]
    final_layer.linear = proj_out
    """;
  }

  @Override
  public Schedule schedule(
      FlowMatchEulerDiscreteScheduler scheduler, int numInferenceSteps, int imageTokens) {
    return scheduler.linearOrOwn(numInferenceSteps, mu(imageTokens, numInferenceSteps));
  }

  /**
   * The shift of a schedule, which Black Forest Labs fitted to image tokens and steps: {@code
   * compute_empirical_mu} of their reference code.
   */
  static double mu(int tokens, int steps) {
    double at10 = 8.73809524e-05 * tokens + 1.89833333;
    double at200 = 0.00016927 * tokens + 0.45666666;
    if (tokens > 4300) {
      return at200;
    }
    double slope = (at200 - at10) / 190;
    return slope * steps + (at200 - 200 * slope);
  }

  @Override
  public void requireFit(ComponentFit fit, Map<String, WeightLayout> networks) {
    Flux2Config config = Flux2Config.of(fit.checkpoint().config("transformer"));
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
              loading.add(Flux2Transformer.load(checkpoint, loader)),
              loading.add(Flux2Decoder.load(checkpoint, loader)));
      requireFit(new ComponentFit(checkpoint), networks(checkpoint));
      loading.complete();
      return networks;
    }
  }

  private record Networks(
      QwenPromptReader textEncoder, Flux2Transformer transformer, Flux2Decoder decoder)
      implements FlowNetworks {

    /** One token per latent, since the latents are patches already. */
    @Override
    public LatentSpace latents() {
      return new LatentSpace(
          decoder.patchChannels(), decoder.patchPixels(), /* patch= */ 1, /* packed= */ false);
    }

    @Override
    public PromptEmbeddings encode(PromptTexts texts, TensorProbe probe) {
      int prompts = texts.prompts().size();
      try (QwenPrompts read = textEncoder.read(texts.prompts(), texts.maxSequenceLength())) {
        for (int i = 0; i < prompts; i++) {
          try (Tensor ids = read.ids().select(i)) {
            probe.record("tok.tokenizer.%d.input_ids".formatted(texts.call() * prompts + i), ids);
          }
        }
        for (int i = 0; i < STATES.size(); i++) {
          try (Tensor state = textEncoder.state(read, i)) {
            probe.record(
                "te.text_encoder.%d.hidden_states.%d".formatted(texts.call(), STATES.get(i)),
                state);
          }
        }
        return PromptEmbeddings.ofFullLength(Tensor.cat(List.of(read.states())), Optional.empty());
      }
    }

    @Override
    public Denoiser denoiser(
        PromptEmbeddings prompts, List<ImageRequest> batch, TokenGrid grid, float[] timesteps) {
      return transformer.denoiser(prompts, grid);
    }

    @Override
    public Tensor pack(Tensor latents) {
      try (latents) {
        return Flux2Transformer.tokens(latents);
      }
    }

    @Override
    public Tensor decode(Tensor latents, TokenGrid grid, TensorProbe probe) {
      return decoder.decode(latents, grid, probe);
    }

    @Override
    public void close() {
      decoder.close();
      transformer.close();
      textEncoder.close();
    }
  }
}
