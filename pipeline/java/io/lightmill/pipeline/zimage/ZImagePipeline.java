package io.lightmill.pipeline.zimage;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.TensorProbe;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.ComponentFit;
import io.lightmill.pipeline.checkpoint.Loading;
import io.lightmill.pipeline.checkpoint.ModelCard;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.schedule.Flow;
import io.lightmill.pipeline.schedule.FlowMatchEulerDiscreteScheduler;
import io.lightmill.pipeline.schedule.TokenGrid;
import io.lightmill.pipeline.text.ChatTemplate;
import io.lightmill.pipeline.text.QwenPromptReader;
import io.lightmill.pipeline.text.QwenPrompts;
import io.lightmill.pipeline.text.QwenTextEncoder;
import io.lightmill.pipeline.torch.Opaque;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.vae.AutoencoderKl;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Z-Image and its distilled Turbo: diffusers' {@code ZImagePipeline}. */
public final class ZImagePipeline implements DiffusionPipeline {

  static final ChatTemplate TEMPLATE = ChatTemplate.USER_TURN;

  /** The hidden state that the last layer of the text encoder would go on from. */
  private static final List<Integer> STATES = List.of(-2);

  private final Flow flow;
  private final QwenPromptReader reader;
  private final ZImageTransformer transformer;
  private final FlowMatchEulerDiscreteScheduler scheduler;
  private final AutoencoderKl vae;
  private final ZImageSettings settings;

  /**
   * Loads all components onto the loader's device.
   *
   * @throws io.lightmill.pipeline.LightmillException if one is missing, damaged or not made for the
   *     others
   */
  public ZImagePipeline(Checkpoint checkpoint, WeightLoader loader) {
    this.flow = new Flow(loader.device(), loader.dtype());
    this.scheduler = FlowMatchEulerDiscreteScheduler.of(checkpoint.config("scheduler"));
    this.settings = ZImageSettings.DEFAULT.with(ModelCard.of(checkpoint).settings());
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

  private ZImagePipeline(ZImagePipeline loaded, ZImageSettings settings) {
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

  /** The weights of the checkpoint's components. */
  public static Map<String, WeightLayout> networks(Checkpoint checkpoint) {
    return Map.of(
        "text_encoder", QwenTextEncoder.layout(checkpoint, "text_encoder", STATES),
        "transformer", ZImageLayout.of(ZImageConfig.of(checkpoint.config("transformer"))),
        "vae", AutoencoderKl.layout(checkpoint));
  }

  @Override
  public List<RgbImage> generate(List<ImageRequest> batch) {
    try (Tensor image = draw(batch, Optional.empty(), TensorProbe.NONE)) {
      return flow.pictures(image);
    }
  }

  @Override
  public Tensor draw(List<ImageRequest> batch, Optional<Tensor> start, TensorProbe probe) {
    ImageRequest any = batch.get(0);
    TokenGrid grid = TokenGrid.of(any.width(), any.height(), vae.config().scaleFactor());
    long[] shape = {
      batch.size(), vae.config().latentChannels(), grid.latentRows(), grid.latentColumns()
    };
    boolean guided = ClassifierFreeGuidance.POSITIVE_GUIDANCE_SCALE.guides(any);
    List<Opaque> generators = flow.generators(batch);
    try (Tensor noise = flow.start(start, shape, () -> noise(generators, shape));
        ZImageTransformer.Captions prompts = prompts(batch, grid, probe);
        ZImageTransformer.Captions negative = guided ? negativePrompts(batch, grid, probe) : null;
        ZImageGuidance velocity =
            new ZImageGuidance(
                flow, transformer, settings, batch, prompts, Optional.ofNullable(negative), probe);
        Tensor latents =
            flow.follow(
                scheduler.linear(any.numInferenceSteps(), scheduler.mu(grid.tokens())),
                noise,
                velocity,
                () -> noise(generators, shape),
                probe)) {
      Tensor image = vae.decode(latents, probe);
      probe.record("image", image);
      return image;
    } finally {
      generators.forEach(Opaque::close);
    }
  }

  private Tensor noise(List<Opaque> generators, long[] shape) {
    return flow.noise(generators, shape[1], shape[2], shape[3]);
  }

  private ZImageTransformer.Captions prompts(
      List<ImageRequest> batch, TokenGrid grid, TensorProbe probe) {
    return captions(batch, batch.stream().map(ImageRequest::prompt).toList(), 0, grid, probe);
  }

  private ZImageTransformer.Captions negativePrompts(
      List<ImageRequest> batch, TokenGrid grid, TensorProbe probe) {
    List<String> texts =
        batch.stream().map(request -> request.negativePrompt().orElse("")).toList();
    return captions(batch, texts, 1, grid, probe);
  }

  private ZImageTransformer.Captions captions(
      List<ImageRequest> batch, List<String> texts, int call, TokenGrid grid, TensorProbe probe) {
    try (QwenPrompts prompts = reader.read(texts, batch.get(0).maxSequenceLength())) {
      probe.record("tok.tokenizer.%d.input_ids".formatted(call), prompts.ids());
      probe.record("te.text_encoder.%d.hidden_states.-2".formatted(call), prompts.states());
      return transformer.captions(prompts, grid);
    }
  }

  @Override
  public void close() {
    vae.close();
    transformer.close();
    reader.close();
  }
}
