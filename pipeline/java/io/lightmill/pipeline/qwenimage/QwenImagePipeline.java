package io.lightmill.pipeline.qwenimage;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.ImageRequest;
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
import io.lightmill.pipeline.text.ChatTemplate;
import io.lightmill.pipeline.text.PromptTokenizer;
import io.lightmill.pipeline.text.QwenPromptReader;
import io.lightmill.pipeline.text.QwenPrompts;
import io.lightmill.pipeline.text.QwenTextEncoder;
import io.lightmill.pipeline.torch.Handle;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import io.lightmill.pipeline.vae.AutoencoderKlQwenImage;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Qwen-Image: diffusers' {@code QwenImagePipeline}. */
public final class QwenImagePipeline implements DiffusionPipeline {

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

  /** The hidden state after the text encoder's final norm. */
  private static final List<Integer> STATES = List.of(-1);

  private final Flow flow;
  private final QwenPromptReader reader;
  private final QwenImageTransformer transformer;
  private final FlowMatchEulerDiscreteScheduler scheduler;
  private final AutoencoderKlQwenImage vae;

  /**
   * Loads all components onto the loader's device.
   *
   * @throws io.lightmill.pipeline.LightmillException if one is missing, damaged or not made for the
   *     others
   */
  public QwenImagePipeline(Checkpoint checkpoint, WeightLoader loader) {
    this.flow = new Flow(loader.device(), loader.dtype());
    this.scheduler = FlowMatchEulerDiscreteScheduler.of(checkpoint.config("scheduler"));
    try (Loading loading = new Loading()) {
      this.reader = loading.add(new QwenPromptReader(checkpoint, loader, flow, TEMPLATE, STATES));
      this.transformer = loading.add(QwenImageTransformer.load(checkpoint, loader));
      this.vae = loading.add(AutoencoderKlQwenImage.load(checkpoint, loader, flow));
      ComponentFit fit = new ComponentFit(checkpoint);
      QwenImageConfig config = transformer.config();
      fit.require("joint_attention_dim", config.contextWidth(), "text_encoder", reader.width());
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
    int scale = AutoencoderKlQwenImage.Config.of(checkpoint.config("vae")).scaleFactor();
    ModelCard card = ModelCard.of(checkpoint);
    return new PipelineLimits(
        scale * TokenGrid.PATCH,
        Math.toIntExact(MAX_PIXELS),
        MAX_PIXELS,
        QwenTextEncoder.longestText(checkpoint, "text_encoder") - TEMPLATE_TOKENS,
        FlowMatchEulerDiscreteScheduler.of(checkpoint.config("scheduler")).minInferenceSteps(),
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

  /** The weights of the checkpoint's components. */
  public static Map<String, WeightLayout> networks(Checkpoint checkpoint) {
    return Map.of(
        "text_encoder", QwenTextEncoder.layout(checkpoint, "text_encoder", STATES),
        "transformer", QwenImageConfig.of(checkpoint.config("transformer")).layout(),
        "vae", AutoencoderKlQwenImage.layout(checkpoint));
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
        QwenImageTransformer.Texts prompts = prompts(batch, grid, probe);
        QwenImageTransformer.Texts negative =
            ClassifierFreeGuidance.TRUE_CFG_SCALE.guides(any)
                ? negativePrompts(batch, grid, probe)
                : null;
        Tensor scale = flow.column(batch, ImageRequest::trueCfgScale);
        Tensor latents =
            flow.follow(
                scheduler.linear(any.numInferenceSteps(), scheduler.mu(grid.tokens())),
                noise,
                new GuidedVelocity(
                    (x, timestep) -> transformer.velocity(x, prompts, timestep),
                    Optional.ofNullable(negative)
                        .map(away -> (x, timestep) -> transformer.velocity(x, away, timestep)),
                    (away, towards) -> QwenImageTransformer.guide(away, towards, scale),
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

  private QwenImageTransformer.Texts prompts(
      List<ImageRequest> batch, TokenGrid grid, TensorProbe probe) {
    return texts(batch, batch.stream().map(ImageRequest::prompt).toList(), 0, grid, probe);
  }

  private QwenImageTransformer.Texts negativePrompts(
      List<ImageRequest> batch, TokenGrid grid, TensorProbe probe) {
    List<String> texts =
        batch.stream().map(request -> request.negativePrompt().orElseThrow()).toList();
    return texts(batch, texts, 1, grid, probe);
  }

  private QwenImageTransformer.Texts texts(
      List<ImageRequest> batch, List<String> texts, int call, TokenGrid grid, TensorProbe probe) {
    int skipped = TEMPLATE_TOKENS;
    int used = batch.get(0).maxSequenceLength();
    int longest = Math.max(USUAL_TOKENS, used) + skipped;
    try (QwenPrompts prompts = reader.read(texts, Math.min(reader.longest(texts), longest))) {
      probe.record("tok.tokenizer.%d.input_ids".formatted(call), prompts.ids());
      probe.record("te.text_encoder.%d.hidden_states.-1".formatted(call), prompts.states());
      return transformer.texts(prompts, skipped, used, grid);
    }
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
    reader.close();
  }
}
