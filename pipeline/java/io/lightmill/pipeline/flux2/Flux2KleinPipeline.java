package io.lightmill.pipeline.flux2;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.pipeline.PromptLength;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.ComponentFit;
import io.lightmill.pipeline.checkpoint.Loading;
import io.lightmill.pipeline.checkpoint.ModelCard;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.schedule.Flow;
import io.lightmill.pipeline.schedule.FlowMatchEulerDiscreteScheduler;
import io.lightmill.pipeline.schedule.GuidedVelocity;
import io.lightmill.pipeline.schedule.TokenGrid;
import io.lightmill.pipeline.text.ChatTemplate;
import io.lightmill.pipeline.text.PromptTokenizer;
import io.lightmill.pipeline.text.QwenPromptReader;
import io.lightmill.pipeline.text.QwenPrompts;
import io.lightmill.pipeline.text.QwenTextEncoder;
import io.lightmill.pipeline.torch.Handle;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import io.lightmill.pipeline.vae.AutoencoderKl;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** FLUX.2 klein, distilled and base: diffusers' {@code Flux2KleinPipeline}. */
public final class Flux2KleinPipeline implements DiffusionPipeline {

  /** The model is told that it has thought already. */
  static final ChatTemplate TEMPLATE = ChatTemplate.USER_TURN.followedBy("<think>\n\n</think>\n\n");

  /** Black Forest Labs name up to 4 megapixels for FLUX.2. */
  private static final long MAX_PIXELS = 4 * 1024 * 1024;

  /** The default of diffusers' pipeline, and the length that klein was trained with. */
  private static final int DEFAULT_SEQUENCE_LENGTH = 512;

  /** Latents along a side of diffusers' default picture: 1024 pixels at a scale factor of 8. */
  private static final int DEFAULT_SAMPLE_SIZE = 128;

  /** Hidden states of the text encoder that the transformer reads side by side. */
  private static final List<Integer> STATES = List.of(9, 18, 27);

  private static final String DISTILLED = "is_distilled";

  private final Flow flow;
  private final QwenPromptReader reader;
  private final Flux2Transformer transformer;
  private final FlowMatchEulerDiscreteScheduler scheduler;
  private final Flux2Decoder decoder;
  private final boolean distilled;

  /**
   * Loads all components onto the loader's device.
   *
   * @throws io.lightmill.pipeline.LightmillException if one is missing, damaged or not made for the
   *     others
   */
  public Flux2KleinPipeline(Checkpoint checkpoint, WeightLoader loader) {
    this.flow = new Flow(loader.device(), loader.dtype());
    this.scheduler = FlowMatchEulerDiscreteScheduler.of(checkpoint.config("scheduler"));
    this.distilled = distilled(checkpoint);
    try (Loading loading = new Loading()) {
      this.reader = loading.add(new QwenPromptReader(checkpoint, loader, flow, TEMPLATE, STATES));
      this.transformer = loading.add(Flux2Transformer.load(checkpoint, loader));
      this.decoder = loading.add(Flux2Decoder.load(checkpoint, loader, flow));
      ComponentFit fit = new ComponentFit(checkpoint);
      Flux2Config config = transformer.config();
      fit.require("joint_attention_dim", config.contextWidth(), "text_encoder", reader.width());
      fit.require("in_channels", config.inChannels(), "vae", decoder.patchChannels());
      loading.complete();
    }
  }

  private Flux2KleinPipeline(Flux2KleinPipeline loaded, boolean distilled) {
    this.flow = loaded.flow;
    this.reader = loaded.reader;
    this.transformer = loaded.transformer;
    this.scheduler = loaded.scheduler;
    this.decoder = loaded.decoder;
    this.distilled = distilled;
  }

  /** Whether the checkpoint draws without guidance, whatever its scale. */
  static boolean distilled(Checkpoint checkpoint) {
    return checkpoint.index().flag(DISTILLED, false);
  }

  @Override
  public DiffusionPipeline with(ComponentConfig given) {
    return new Flux2KleinPipeline(this, given.flag(DISTILLED, distilled));
  }

  /**
   * What a checkpoint accepts, known before any weight is loaded; the model card decides before
   * diffusers' own defaults.
   */
  public static PipelineLimits limits(Checkpoint checkpoint) {
    int scale = AutoencoderKl.Config.of(checkpoint.config("vae")).scaleFactor();
    boolean distilled = Flux2KleinPipeline.distilled(checkpoint);
    ModelCard card = ModelCard.of(checkpoint);
    return new PipelineLimits(
        scale * TokenGrid.PATCH,
        Math.toIntExact(MAX_PIXELS),
        MAX_PIXELS,
        QwenTextEncoder.longestText(checkpoint, "text_encoder"),
        FlowMatchEulerDiscreteScheduler.of(checkpoint.config("scheduler")).minInferenceSteps(),
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

  /** The weights of the checkpoint's components. */
  public static Map<String, WeightLayout> networks(Checkpoint checkpoint) {
    return Map.of(
        "text_encoder", QwenTextEncoder.layout(checkpoint, "text_encoder", STATES),
        "transformer", Flux2Config.of(checkpoint.config("transformer")).layout(),
        "vae", AutoencoderKl.layout(checkpoint));
  }

  @Override
  public List<RgbImage> generate(List<ImageRequest> batch) {
    return flow.generate(batch, part -> draw(part, Optional.empty(), TensorProbe.NONE));
  }

  @Override
  public Tensor draw(List<ImageRequest> batch, Optional<Tensor> start, TensorProbe probe) {
    ImageRequest any = batch.get(0);
    TokenGrid grid = TokenGrid.of(any.width(), any.height(), decoder.scaleFactor());
    long[] shape = {batch.size(), decoder.patchChannels(), grid.rows(), grid.columns()};
    boolean guided = !distilled && ClassifierFreeGuidance.GUIDANCE_SCALE.guides(any);
    List<Handle> generators = flow.generators(batch);
    try (Tensor noise = flow.start(start, shape, () -> noise(generators, shape));
        Tensor tokens = Flux2Transformer.tokens(noise);
        Tensor prompts = prompts(batch, probe);
        Tensor negative = guided ? negativePrompts(batch, probe) : null;
        Tensor rope = transformer.rope(any.maxSequenceLength(), grid);
        Tensor scale = flow.column(batch, ImageRequest::guidanceScale);
        Tensor latents =
            flow.follow(
                scheduler.linear(
                    any.numInferenceSteps(), mu(grid.tokens(), any.numInferenceSteps())),
                tokens,
                new GuidedVelocity(
                    (x, timestep) -> transformer.velocity(x, prompts, timestep, rope),
                    Optional.ofNullable(negative)
                        .map(
                            away -> (x, timestep) -> transformer.velocity(x, away, timestep, rope)),
                    (away, towards) -> flow.guide(away, towards, scale),
                    probe),
                () -> noiseTokens(generators, shape),
                probe)) {
      Tensor image = decoder.decode(latents, grid, probe);
      probe.record("image", image);
      return image;
    } finally {
      generators.forEach(Handle::close);
    }
  }

  private Tensor noise(List<Handle> generators, long[] shape) {
    return flow.noise(generators, shape[1], shape[2], shape[3]);
  }

  private Tensor noiseTokens(List<Handle> generators, long[] shape) {
    try (Tensor noise = noise(generators, shape)) {
      return Flux2Transformer.tokens(noise);
    }
  }

  private Tensor prompts(List<ImageRequest> batch, TensorProbe probe) {
    return context(batch, batch.stream().map(ImageRequest::prompt).toList(), 0, probe);
  }

  private Tensor negativePrompts(List<ImageRequest> batch, TensorProbe probe) {
    return context(
        batch,
        batch.stream().map(request -> request.negativePrompt().orElse("")).toList(),
        1,
        probe);
  }

  private Tensor context(
      List<ImageRequest> batch, List<String> texts, int call, TensorProbe probe) {
    try (QwenPrompts prompts = reader.read(texts, batch.get(0).maxSequenceLength())) {
      for (int i = 0; i < texts.size(); i++) {
        try (Tensor ids = flow.select(prompts.ids(), new long[] {i})) {
          probe.record("tok.tokenizer.%d.input_ids".formatted(call * texts.size() + i), ids);
        }
      }
      for (int i = 0; i < STATES.size(); i++) {
        try (Tensor state = reader.state(prompts, i)) {
          probe.record("te.text_encoder.%d.hidden_states.%d".formatted(call, STATES.get(i)), state);
        }
      }
      return flow.copy(prompts.states());
    }
  }

  /**
   * The shift of a schedule, which black-forest-labs fitted to image tokens and steps: {@code
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
  public void close() {
    decoder.close();
    transformer.close();
    reader.close();
  }
}
