package io.lightmill.pipeline.zimage;

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
import io.lightmill.pipeline.schedule.Schedule;
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
import java.util.OptionalDouble;

/** Z-Image and its distilled Turbo: diffusers' {@code ZImagePipeline}. */
public final class ZImagePipeline implements DiffusionPipeline {

  /** Alibaba names 512×512 to 2048×2048 pixels for Z-Image. */
  private static final long MAX_PIXELS = 2048 * 2048;

  /** The default of diffusers' pipeline, and the length that Z-Image was trained with. */
  private static final int DEFAULT_SEQUENCE_LENGTH = 512;

  private static final int DEFAULT_SIDE = 1024;

  static final ChatTemplate TEMPLATE = ChatTemplate.USER_TURN;

  /** The hidden state that the last layer of the text encoder would go on from. */
  private static final List<Integer> STATES = List.of(-2);

  private final Flow flow;
  private final QwenPromptReader reader;
  private final ZImageTransformer transformer;
  private final FlowMatchEulerDiscreteScheduler scheduler;
  private final AutoencoderKl vae;
  private final ZImageGuidance.Settings settings;

  /**
   * Loads all components onto the loader's device.
   *
   * @throws io.lightmill.pipeline.LightmillException if one is missing, damaged or not made for the
   *     others
   */
  public ZImagePipeline(Checkpoint checkpoint, WeightLoader loader) {
    this.flow = new Flow(loader.device(), loader.dtype());
    this.scheduler = FlowMatchEulerDiscreteScheduler.of(checkpoint.config("scheduler"));
    this.settings = ZImageGuidance.Settings.DEFAULT.with(ModelCard.of(checkpoint).settings());
    try (Loading loading = new Loading()) {
      this.reader = loading.add(new QwenPromptReader(checkpoint, loader, flow, TEMPLATE, STATES));
      this.transformer = loading.add(ZImageTransformer.load(checkpoint, loader));
      this.vae = loading.add(AutoencoderKl.load(checkpoint, loader));
      ComponentFit fit = new ComponentFit(checkpoint);
      ZImageConfig config = transformer.config();
      fit.require("cap_feat_dim", config.captionWidth(), "text_encoder", reader.width());
      fit.require("in_channels", config.inChannels(), "vae", vae.config().latentChannels());
      loading.complete();
    }
  }

  private ZImagePipeline(ZImagePipeline loaded, ZImageGuidance.Settings settings) {
    this.flow = loaded.flow;
    this.reader = loaded.reader;
    this.transformer = loaded.transformer;
    this.scheduler = loaded.scheduler;
    this.vae = loaded.vae;
    this.settings = settings;
  }

  @Override
  public DiffusionPipeline with(ComponentConfig given) {
    return new ZImagePipeline(this, settings.with(given));
  }

  /**
   * What a checkpoint accepts, known before any weight is loaded; the model card decides before
   * diffusers' own defaults.
   */
  public static PipelineLimits limits(Checkpoint checkpoint) {
    int scale = AutoencoderKl.Config.of(checkpoint.config("vae")).scaleFactor();
    ModelCard card = ModelCard.of(checkpoint);
    return new PipelineLimits(
        scale * TokenGrid.PATCH,
        Math.toIntExact(MAX_PIXELS),
        MAX_PIXELS,
        Math.min(
            QwenTextEncoder.longestText(checkpoint, "text_encoder"),
            ZImageConfig.longestCaption(checkpoint.config("transformer"))),
        FlowMatchEulerDiscreteScheduler.of(checkpoint.config("scheduler")).minInferenceSteps(),
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

  /** The weights of the checkpoint's components. */
  public static Map<String, WeightLayout> networks(Checkpoint checkpoint) {
    return Map.of(
        "text_encoder", QwenTextEncoder.layout(checkpoint, "text_encoder", STATES),
        "transformer", ZImageConfig.of(checkpoint.config("transformer")).layout(),
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
    long[] shape = {
      batch.size(), vae.config().latentChannels(), grid.latentRows(), grid.latentColumns()
    };
    boolean guided = ClassifierFreeGuidance.POSITIVE_GUIDANCE_SCALE.guides(any);
    List<Handle> generators = flow.generators(batch);
    try (Tensor noise = flow.start(start, shape, () -> noise(generators, shape));
        QwenPrompts texts = prompts(batch, probe);
        QwenPrompts away = guided ? negativePrompts(batch, probe) : null;
        ZImageTransformer.Captions prompts = transformer.captions(texts, grid);
        ZImageTransformer.Captions negative = guided ? transformer.captions(away, grid) : null;
        ZImageGuidance velocity =
            new ZImageGuidance(
                flow, transformer, settings, batch, prompts, Optional.ofNullable(negative), probe);
        Tensor latents =
            flow.follow(
                schedule(any.numInferenceSteps(), grid),
                noise,
                velocity,
                () -> noise(generators, shape),
                probe)) {
      Tensor image = vae.decode(latents, probe);
      probe.record("image", image);
      return image;
    } finally {
      generators.forEach(Handle::close);
    }
  }

  private Schedule schedule(int steps, TokenGrid grid) {
    double[] sigmas = FlowMatchEulerDiscreteScheduler.linearSigmasOfTorch(steps);
    return scheduler.schedule(
        steps, Optional.of(sigmas), OptionalDouble.of(scheduler.mu(grid.tokens())));
  }

  private Tensor noise(List<Handle> generators, long[] shape) {
    return flow.noise(generators, shape[1], shape[2], shape[3]);
  }

  private QwenPrompts prompts(List<ImageRequest> batch, TensorProbe probe) {
    return read(batch, batch.stream().map(ImageRequest::prompt).toList(), 0, probe);
  }

  private QwenPrompts negativePrompts(List<ImageRequest> batch, TensorProbe probe) {
    List<String> texts =
        batch.stream().map(request -> request.negativePrompt().orElse("")).toList();
    return read(batch, texts, 1, probe);
  }

  private QwenPrompts read(
      List<ImageRequest> batch, List<String> texts, int call, TensorProbe probe) {
    QwenPrompts prompts = reader.read(texts, batch.get(0).maxSequenceLength());
    probe.record("tok.tokenizer.%d.input_ids".formatted(call), prompts.ids());
    probe.record("te.text_encoder.%d.hidden_states.-2".formatted(call), prompts.states());
    return prompts;
  }

  @Override
  public void close() {
    vae.close();
    transformer.close();
    reader.close();
  }
}
