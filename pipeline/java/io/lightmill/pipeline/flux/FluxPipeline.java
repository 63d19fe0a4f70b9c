package io.lightmill.pipeline.flux;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.pipeline.PromptLength;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ComponentFit;
import io.lightmill.pipeline.checkpoint.Loading;
import io.lightmill.pipeline.checkpoint.ModelCard;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.schedule.Flow;
import io.lightmill.pipeline.schedule.FlowMatchEulerDiscreteScheduler;
import io.lightmill.pipeline.schedule.GuidedVelocity;
import io.lightmill.pipeline.schedule.TokenGrid;
import io.lightmill.pipeline.text.ClipTextEncoder;
import io.lightmill.pipeline.text.PromptTokenizer;
import io.lightmill.pipeline.text.T5TextEncoder;
import io.lightmill.pipeline.text.TokenizedLength;
import io.lightmill.pipeline.torch.Handle;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import io.lightmill.pipeline.vae.AutoencoderKl;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** FLUX.1, schnell and dev: diffusers' {@code FluxPipeline}. */
public final class FluxPipeline implements DiffusionPipeline {

  /** Black Forest Labs name 0.1 to 2.0 megapixels for FLUX.1. */
  private static final long MAX_PIXELS = 2 * 1024 * 1024;

  /** diffusers' {@code FluxPipeline} refuses longer prompts. */
  private static final int MAX_SEQUENCE_LENGTH = 512;

  /** Latents along a side of diffusers' default picture: 1024 pixels at a scale factor of 8. */
  private static final int DEFAULT_SAMPLE_SIZE = 128;

  private final Flow flow;
  private final FluxTextEncoders textEncoders;
  private final FluxTransformer transformer;
  private final FlowMatchEulerDiscreteScheduler scheduler;
  private final AutoencoderKl vae;

  /**
   * Loads all components onto the loader's device.
   *
   * @throws LightmillException if one is missing, damaged or not made for the others
   */
  public FluxPipeline(Checkpoint checkpoint, WeightLoader loader) {
    this.flow = new Flow(loader.device(), loader.dtype());
    this.scheduler = FlowMatchEulerDiscreteScheduler.of(checkpoint.config("scheduler"));
    try (Loading loading = new Loading()) {
      this.textEncoders = loading.add(new FluxTextEncoders(checkpoint, loader, flow));
      this.transformer = loading.add(FluxTransformer.load(checkpoint, loader));
      this.vae = loading.add(AutoencoderKl.load(checkpoint, loader));
      ComponentFit fit = new ComponentFit(checkpoint);
      FluxConfig config = transformer.config();
      int context = textEncoders.contextWidth();
      fit.require("joint_attention_dim", config.contextWidth(), "text_encoder_2", context);
      int pooled = textEncoders.pooledWidth();
      fit.require("pooled_projection_dim", config.pooledWidth(), "text_encoder", pooled);
      int packed = vae.config().latentChannels() * TokenGrid.PATCH * TokenGrid.PATCH;
      fit.require("in_channels", config.inChannels(), "vae", packed);
      loading.complete();
    }
  }

  /**
   * What a checkpoint accepts, known before any weight is loaded; the model card decides before
   * diffusers' own defaults.
   */
  public static PipelineLimits limits(Checkpoint checkpoint) {
    int scale = AutoencoderKl.Config.of(checkpoint.config("vae")).scaleFactor();
    boolean guided = FluxConfig.of(checkpoint.config("transformer")).guidanceEmbeds();
    ModelCard card = ModelCard.of(checkpoint);
    try (PromptTokenizer tokenizer = tokenizer(checkpoint)) {
      int longest = Math.min(tokenizer.modelMaxLength(), MAX_SEQUENCE_LENGTH);
      return new PipelineLimits(
          scale * TokenGrid.PATCH,
          Math.toIntExact(MAX_PIXELS),
          MAX_PIXELS,
          longest,
          FlowMatchEulerDiscreteScheduler.of(checkpoint.config("scheduler")).minInferenceSteps(),
          ClassifierFreeGuidance.TRUE_CFG_SCALE,
          new PipelineLimits.Defaults(
              card.count("width").orElse(DEFAULT_SAMPLE_SIZE * scale),
              card.count("height").orElse(DEFAULT_SAMPLE_SIZE * scale),
              card.count("num_inference_steps").orElse(guided ? 28 : 4),
              card.number("guidance_scale").orElse(3.5),
              card.number("true_cfg_scale").orElse(1),
              Math.min(card.count("max_sequence_length").orElse(longest), longest)));
    }
  }

  /** Counts prompts in T5's tokens. */
  public static PromptLength promptLength(Checkpoint checkpoint) {
    return new TokenizedLength(tokenizer(checkpoint));
  }

  private static PromptTokenizer tokenizer(Checkpoint checkpoint) {
    return PromptTokenizer.open(checkpoint.component("tokenizer_2"));
  }

  /** The weights of the checkpoint's components. */
  public static Map<String, WeightLayout> networks(Checkpoint checkpoint) {
    return Map.of(
        "text_encoder", ClipTextEncoder.layout(checkpoint, "text_encoder"),
        "text_encoder_2", T5TextEncoder.layout(checkpoint, "text_encoder_2"),
        "transformer", FluxConfig.of(checkpoint.config("transformer")).layout(),
        "vae", AutoencoderKl.layout(checkpoint));
  }

  @Override
  public List<RgbImage> generate(List<ImageRequest> batch) {
    return flow.generate(batch, part -> draw(part, Optional.empty(), TensorProbe.NONE));
  }

  @Override
  public Tensor draw(List<ImageRequest> batch, Optional<Tensor> start, TensorProbe probe) {
    ImageRequest any = batch.get(0);
    TokenGrid grid = TokenGrid.of(any.width(), any.height(), vae.config().scaleFactor());
    long[] shape = {batch.size(), grid.tokens(), transformer.config().inChannels()};
    List<Handle> generators = flow.generators(batch);
    try (Tensor noise = flow.start(start, shape, () -> noise(generators, grid));
        FluxTextEncoders.Prompts prompts = prompts(batch, probe);
        FluxTextEncoders.Prompts negative =
            ClassifierFreeGuidance.TRUE_CFG_SCALE.guides(any)
                ? negativePrompts(batch, probe)
                : null;
        Tensor embedded = flow.column(batch, ImageRequest::guidanceScale);
        Tensor scale = flow.column(batch, ImageRequest::trueCfgScale);
        Tensor rope = transformer.rope(prompts.tokens(), grid);
        Tensor latents =
            flow.follow(
                scheduler.linear(any.numInferenceSteps(), scheduler.mu(grid.tokens())),
                noise,
                new GuidedVelocity(
                    (x, timestep) -> transformer.velocity(x, prompts, timestep, embedded, rope),
                    Optional.ofNullable(negative)
                        .map(
                            away ->
                                (x, timestep) ->
                                    transformer.velocity(x, away, timestep, embedded, rope)),
                    (away, towards) -> flow.guide(away, towards, scale),
                    probe),
                () -> noise(generators, grid),
                probe);
        Tensor unpacked = flow.unpack(latents, grid.rows(), grid.columns())) {
      Tensor image = vae.decode(unpacked, probe);
      probe.record("image", image);
      return image;
    } finally {
      generators.forEach(Handle::close);
    }
  }

  private FluxTextEncoders.Prompts prompts(List<ImageRequest> batch, TensorProbe probe) {
    List<String> texts = batch.stream().map(ImageRequest::prompt).toList();
    List<String> texts2 =
        batch.stream().map(request -> request.prompt2().orElse(request.prompt())).toList();
    return textEncoders.encode(texts, texts2, batch.get(0).maxSequenceLength(), 0, probe);
  }

  private FluxTextEncoders.Prompts negativePrompts(List<ImageRequest> batch, TensorProbe probe) {
    List<String> texts =
        batch.stream().map(request -> request.negativePrompt().orElseThrow()).toList();
    return textEncoders.encode(texts, texts, batch.get(0).maxSequenceLength(), 1, probe);
  }

  private Tensor noise(List<Handle> generators, TokenGrid grid) {
    int channels = vae.config().latentChannels();
    try (Tensor spatial =
        flow.noise(generators, channels, grid.latentRows(), grid.latentColumns())) {
      return flow.pack(spatial);
    }
  }

  @Override
  public void close() {
    vae.close();
    transformer.close();
    textEncoders.close();
  }
}
