package io.lightmill.pipeline.stablediffusion3;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.TensorProbe;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ComponentFit;
import io.lightmill.pipeline.checkpoint.Loading;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.schedule.Flow;
import io.lightmill.pipeline.schedule.FlowMatchEulerDiscreteScheduler;
import io.lightmill.pipeline.schedule.Schedule;
import io.lightmill.pipeline.text.ClipTextEncoder;
import io.lightmill.pipeline.text.T5TextEncoder;
import io.lightmill.pipeline.torch.Opaque;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.vae.AutoencoderKl;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;

/** Stable Diffusion 3 and 3.5: diffusers' {@code StableDiffusion3Pipeline}. */
public final class StableDiffusion3Pipeline implements DiffusionPipeline {

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

  /** The weights of the checkpoint's components. */
  public static Map<String, WeightLayout> networks(Checkpoint checkpoint) {
    Map<String, WeightLayout> networks = new TreeMap<>();
    for (String clip : List.of("text_encoder", "text_encoder_2")) {
      networks.put(clip, ClipTextEncoder.layoutWithProjection(checkpoint, clip));
    }
    if (checkpoint.components().contains(Sd3TextEncoders.T5)) {
      networks.put(Sd3TextEncoders.T5, T5TextEncoder.layout(checkpoint, Sd3TextEncoders.T5));
    }
    networks.put("transformer", Sd3Layout.of(Sd3Config.of(checkpoint.config("transformer"))));
    networks.put("vae", AutoencoderKl.layout(checkpoint));
    return networks;
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
    boolean guided = ClassifierFreeGuidance.GUIDANCE_SCALE.guides(any);
    long[] shape = {
      batch.size(), transformer.config().channels(), latentRows(any), latentColumns(any)
    };
    List<Opaque> generators = flow.generators(batch);
    try (Tensor noise = flow.start(start, shape, () -> noise(generators, any));
        Sd3Prompts prompts = prompts(batch, guided, probe);
        Sd3Guidance velocity = new Sd3Guidance(flow, transformer, batch, prompts, guided, probe);
        Tensor latents =
            flow.follow(schedule(any), noise, velocity, () -> noise(generators, any), probe)) {
      Tensor image = vae.decode(latents, probe);
      probe.record("image", image);
      return image;
    } finally {
      generators.forEach(Opaque::close);
    }
  }

  private int latentRows(ImageRequest request) {
    return request.height() / vae.config().scaleFactor();
  }

  private int latentColumns(ImageRequest request) {
    return request.width() / vae.config().scaleFactor();
  }

  private Tensor noise(List<Opaque> generators, ImageRequest any) {
    return flow.noise(
        generators, transformer.config().channels(), latentRows(any), latentColumns(any));
  }

  /** The prompts of all images, if guided behind the negative prompts of all. */
  private Sd3Prompts prompts(List<ImageRequest> batch, boolean guided, TensorProbe probe) {
    List<Sd3Wording> wordings = batch.stream().map(Sd3Wording::of).distinct().toList();
    long[] rows = batch.stream().map(Sd3Wording::of).mapToLong(wordings::indexOf).toArray();
    int length = batch.get(0).maxSequenceLength();
    try (Sd3Prompts positive =
            textEncoders.encode(
                wordings.stream().map(Sd3Wording::prompt).toList(),
                wordings.stream().map(Sd3Wording::prompt2).toList(),
                wordings.stream().map(Sd3Wording::prompt3).toList(),
                length,
                0,
                probe);
        Sd3Prompts negative = guided ? negative(wordings, length, probe) : null) {
      return Sd3Prompts.cat(flow, guided ? List.of(negative, positive) : List.of(positive), rows);
    }
  }

  private Sd3Prompts negative(List<Sd3Wording> wordings, int length, TensorProbe probe) {
    List<String> texts = wordings.stream().map(Sd3Wording::negativePrompt).toList();
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
