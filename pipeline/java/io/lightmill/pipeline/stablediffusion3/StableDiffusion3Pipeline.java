package io.lightmill.pipeline.stablediffusion3;

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
import io.lightmill.pipeline.schedule.JointlyGuidedVelocity;
import io.lightmill.pipeline.schedule.Schedule;
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
import java.util.OptionalDouble;
import java.util.TreeMap;

/** Stable Diffusion 3 and 3.5: diffusers' {@code StableDiffusion3Pipeline}. */
public final class StableDiffusion3Pipeline implements DiffusionPipeline {

  /** Stability AI names 1 megapixel for SD3 Medium and SD3.5 Large. */
  private static final long MAX_PIXELS = 1024 * 1024;

  /** Stability AI names 0.25 to 2 megapixels for SD3.5 Medium, whose blocks are MMDiT-X. */
  private static final long MAX_PIXELS_OF_MMDIT_X = 2 * MAX_PIXELS;

  /** diffusers' {@code StableDiffusion3Pipeline} refuses longer prompts. */
  private static final int MAX_SEQUENCE_LENGTH = 512;

  private static final int DEFAULT_SEQUENCE_LENGTH = 256;

  private final Flow flow;
  private final FlowMatchEulerDiscreteScheduler scheduler;
  private final Sd3Transformer transformer;
  private final Sd3TextEncoders textEncoders;
  private final AutoencoderKl vae;

  /**
   * Loads all components onto the loader's device.
   *
   * @throws io.lightmill.pipeline.LightmillException if one is missing, damaged or not made for the
   *     others
   */
  public StableDiffusion3Pipeline(Checkpoint checkpoint, WeightLoader loader) {
    this.flow = new Flow(loader.device(), loader.dtype());
    this.scheduler = FlowMatchEulerDiscreteScheduler.of(checkpoint.config("scheduler"));
    try (Loading loading = new Loading()) {
      this.transformer = loading.add(Sd3Transformer.load(checkpoint, loader));
      this.textEncoders =
          loading.add(new Sd3TextEncoders(checkpoint, transformer.config(), loader, flow));
      this.vae = loading.add(AutoencoderKl.load(checkpoint, loader));
      new ComponentFit(checkpoint)
          .require(
              "in_channels", transformer.config().channels(), "vae", vae.config().latentChannels());
      loading.complete();
    }
  }

  /**
   * What a checkpoint accepts, known before any weight is loaded; the model card decides before
   * diffusers' own defaults.
   */
  public static PipelineLimits limits(Checkpoint checkpoint) {
    int scale = AutoencoderKl.Config.of(checkpoint.config("vae")).scaleFactor();
    Sd3Config transformer = Sd3Config.of(checkpoint.config("transformer"));
    ModelCard card = ModelCard.of(checkpoint);
    int longest = longest(checkpoint);
    int multiple = Math.multiplyExact(scale, transformer.patchSize());
    int side = Math.multiplyExact(scale, transformer.sampleSize());
    return new PipelineLimits(
        multiple,
        Math.multiplyExact(multiple, transformer.positions()),
        transformer.dualAttentionLayers().isEmpty() ? MAX_PIXELS : MAX_PIXELS_OF_MMDIT_X,
        longest,
        FlowMatchEulerDiscreteScheduler.of(checkpoint.config("scheduler")).minInferenceSteps(),
        ClassifierFreeGuidance.GUIDANCE_SCALE,
        new PipelineLimits.Defaults(
            card.count("width").orElse(side),
            card.count("height").orElse(side),
            card.count("num_inference_steps").orElse(28),
            card.number("guidance_scale").orElse(7),
            1,
            Math.min(longest, DEFAULT_SEQUENCE_LENGTH)));
  }

  private static int longest(Checkpoint checkpoint) {
    if (!hasT5(checkpoint)) {
      return MAX_SEQUENCE_LENGTH;
    }
    try (PromptTokenizer tokenizer = tokenizer(checkpoint)) {
      return Math.min(tokenizer.modelMaxLength(), MAX_SEQUENCE_LENGTH);
    }
  }

  /** Counts prompts in T5's tokens, or where it was left out in CLIP's, which reads fewer. */
  public static PromptLength promptLength(Checkpoint checkpoint) {
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
        checkpoint.component(hasT5(checkpoint) ? Sd3TextEncoders.T5_TOKENIZER : "tokenizer"));
  }

  private static boolean hasT5(Checkpoint checkpoint) {
    return checkpoint.components().contains(Sd3TextEncoders.T5);
  }

  /** The weights of the checkpoint's components. */
  public static Map<String, WeightLayout> networks(Checkpoint checkpoint) {
    Map<String, WeightLayout> networks = new TreeMap<>();
    for (String clip : List.of("text_encoder", "text_encoder_2")) {
      networks.put(clip, ClipTextEncoder.layoutWithProjection(checkpoint, clip));
    }
    if (checkpoint.components().contains(Sd3TextEncoders.T5)) {
      networks.put(Sd3TextEncoders.T5, T5TextEncoder.layout(checkpoint, Sd3TextEncoders.T5));
    }
    networks.put("transformer", Sd3Config.of(checkpoint.config("transformer")).layout());
    networks.put("vae", AutoencoderKl.layout(checkpoint));
    return networks;
  }

  @Override
  public List<RgbImage> generate(List<ImageRequest> batch) {
    return flow.generate(batch, part -> draw(part, Optional.empty(), TensorProbe.NONE));
  }

  @Override
  public Tensor draw(List<ImageRequest> batch, Optional<Tensor> start, TensorProbe probe) {
    ImageRequest any = batch.get(0);
    boolean guided = ClassifierFreeGuidance.GUIDANCE_SCALE.guides(any);
    long[] shape = {
      batch.size(), transformer.config().channels(), latentRows(any), latentColumns(any)
    };
    List<Handle> generators = flow.generators(batch);
    try (Tensor noise = flow.start(start, shape, () -> noise(generators, any));
        Sd3TextEncoders.Prompts prompts = prompts(batch, guided, probe);
        JointlyGuidedVelocity velocity =
            new JointlyGuidedVelocity(
                flow,
                batch,
                (x, timestep) -> transformer.velocity(x, prompts, timestep),
                guided,
                probe);
        Tensor latents =
            flow.follow(schedule(any), noise, velocity, () -> noise(generators, any), probe)) {
      Tensor image = vae.decode(latents, probe);
      probe.record("image", image);
      return image;
    } finally {
      generators.forEach(Handle::close);
    }
  }

  private int latentRows(ImageRequest request) {
    return request.height() / vae.config().scaleFactor();
  }

  private int latentColumns(ImageRequest request) {
    return request.width() / vae.config().scaleFactor();
  }

  private Tensor noise(List<Handle> generators, ImageRequest any) {
    return flow.noise(
        generators, transformer.config().channels(), latentRows(any), latentColumns(any));
  }

  /** The prompts of all images, if guided behind the negative prompts of all. */
  private Sd3TextEncoders.Prompts prompts(
      List<ImageRequest> batch, boolean guided, TensorProbe probe) {
    List<Sd3TextEncoders.Wording> wordings =
        batch.stream().map(Sd3TextEncoders.Wording::of).toList();
    int length = batch.get(0).maxSequenceLength();
    try (Sd3TextEncoders.Prompts positive =
            textEncoders.encode(
                wordings.stream().map(Sd3TextEncoders.Wording::prompt).toList(),
                wordings.stream().map(Sd3TextEncoders.Wording::prompt2).toList(),
                wordings.stream().map(Sd3TextEncoders.Wording::prompt3).toList(),
                length,
                0,
                probe);
        Sd3TextEncoders.Prompts negative = guided ? negative(wordings, length, probe) : null) {
      return Sd3TextEncoders.Prompts.cat(
          flow, guided ? List.of(negative, positive) : List.of(positive));
    }
  }

  private Sd3TextEncoders.Prompts negative(
      List<Sd3TextEncoders.Wording> wordings, int length, TensorProbe probe) {
    List<String> texts = wordings.stream().map(Sd3TextEncoders.Wording::negativePrompt).toList();
    return textEncoders.encode(texts, texts, texts, length, 1, probe);
  }

  /** The scheduler's own sigmas, shifted by the picture's tokens where the checkpoint says so. */
  private Schedule schedule(ImageRequest any) {
    int patch = transformer.config().patchSize();
    int tokens = (latentRows(any) / patch) * (latentColumns(any) / patch);
    return scheduler.schedule(
        any.numInferenceSteps(), Optional.empty(), OptionalDouble.of(scheduler.mu(tokens)));
  }

  @Override
  public void close() {
    vae.close();
    textEncoders.close();
    transformer.close();
  }
}
