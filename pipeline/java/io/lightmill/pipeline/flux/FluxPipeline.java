package io.lightmill.pipeline.flux;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.TensorProbe;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.Loading;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.schedule.Flow;
import io.lightmill.pipeline.schedule.FlowMatchEulerDiscreteScheduler;
import io.lightmill.pipeline.schedule.TokenGrid;
import io.lightmill.pipeline.text.ClipTextEncoder;
import io.lightmill.pipeline.text.T5TextEncoder;
import io.lightmill.pipeline.torch.Opaque;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.vae.AutoencoderKl;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** FLUX.1, schnell and dev: diffusers' {@code FluxPipeline}. */
public final class FluxPipeline implements DiffusionPipeline {

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
      FluxFit.require(
          checkpoint,
          transformer.config(),
          textEncoders.contextWidth(),
          textEncoders.pooledWidth(),
          vae.config().latentChannels());
      loading.complete();
    }
  }

  /** The weights of the checkpoint's components. */
  public static Map<String, WeightLayout> networks(Checkpoint checkpoint) {
    return Map.of(
        "text_encoder", ClipTextEncoder.layout(checkpoint, "text_encoder"),
        "text_encoder_2", T5TextEncoder.layout(checkpoint, "text_encoder_2"),
        "transformer", FluxLayout.of(FluxConfig.of(checkpoint.config("transformer"))),
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
    long[] shape = {batch.size(), grid.tokens(), transformer.config().inChannels()};
    List<Opaque> generators = flow.generators(batch);
    try (Tensor noise = flow.start(start, shape, () -> noise(generators, grid));
        FluxPrompts prompts = prompts(batch, probe);
        FluxPrompts negative =
            ClassifierFreeGuidance.TRUE_CFG_SCALE.guides(any)
                ? negativePrompts(batch, probe)
                : null;
        FluxGuidance velocity =
            new FluxGuidance(
                flow, transformer, batch, prompts, Optional.ofNullable(negative), grid, probe);
        Tensor latents =
            flow.follow(
                scheduler.linear(any.numInferenceSteps(), scheduler.mu(grid.tokens())),
                noise,
                velocity,
                () -> noise(generators, grid),
                probe);
        Tensor unpacked = flow.unpack(latents, grid.rows(), grid.columns())) {
      Tensor image = vae.decode(unpacked, probe);
      probe.record("image", image);
      return image;
    } finally {
      generators.forEach(Opaque::close);
    }
  }

  private FluxPrompts prompts(List<ImageRequest> batch, TensorProbe probe) {
    List<String> texts = batch.stream().map(ImageRequest::prompt).toList();
    List<String> texts2 =
        batch.stream().map(request -> request.prompt2().orElse(request.prompt())).toList();
    return textEncoders.encode(texts, texts2, batch.get(0).maxSequenceLength(), 0, probe);
  }

  private FluxPrompts negativePrompts(List<ImageRequest> batch, TensorProbe probe) {
    List<String> texts =
        batch.stream().map(request -> request.negativePrompt().orElseThrow()).toList();
    return textEncoders.encode(texts, texts, batch.get(0).maxSequenceLength(), 1, probe);
  }

  private Tensor noise(List<Opaque> generators, TokenGrid grid) {
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
