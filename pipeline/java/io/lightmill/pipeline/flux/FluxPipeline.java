package io.lightmill.pipeline.flux;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.TensorProbe;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.Loading;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.schedule.Flow;
import io.lightmill.pipeline.schedule.FlowMatchEulerDiscreteScheduler;
import io.lightmill.pipeline.schedule.Schedule;
import io.lightmill.pipeline.torch.Opaque;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.vae.AutoencoderKl;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

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

  @Override
  public List<RgbImage> generate(List<ImageRequest> batch) {
    try (Tensor image = draw(batch, Optional.empty(), TensorProbe.NONE)) {
      return flow.pictures(image);
    }
  }

  @Override
  public Tensor draw(List<ImageRequest> batch, Optional<Tensor> start, TensorProbe probe) {
    ImageRequest any = batch.get(0);
    FluxGrid grid = FluxGrid.of(any.width(), any.height(), vae.config().scaleFactor());
    start.ifPresent(latents -> requireShape(latents, batch.size(), grid));
    List<Opaque> generators = flow.generators(batch.stream().map(ImageRequest::seed).toList());
    try (Tensor noise = start.isEmpty() ? noise(generators, grid) : flow.copy(start.get());
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
                schedule(any.numInferenceSteps(), grid),
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

  private void requireShape(Tensor latents, int images, FluxGrid grid) {
    long[] wanted = {images, grid.tokens(), transformer.config().inChannels()};
    if (!Arrays.equals(latents.shape(), wanted)) {
      throw new LightmillException(
          ErrorCode.INPUT_INVALID,
          "the latents have the shape %s, where this batch starts from %s"
              .formatted(Arrays.toString(latents.shape()), Arrays.toString(wanted)));
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

  private Tensor noise(List<Opaque> generators, FluxGrid grid) {
    int channels = vae.config().latentChannels();
    int height = grid.rows() * FluxGrid.PATCH;
    int width = grid.columns() * FluxGrid.PATCH;
    try (Tensor spatial = flow.noise(generators, channels, height, width)) {
      return flow.pack(spatial);
    }
  }

  /** Evenly spaced sigmas from 1, shifted by the picture's tokens where the checkpoint says so. */
  private Schedule schedule(int steps, FluxGrid grid) {
    return scheduler.schedule(
        steps,
        Optional.of(FlowMatchEulerDiscreteScheduler.linearSigmas(steps)),
        OptionalDouble.of(scheduler.mu(grid.tokens())));
  }

  @Override
  public void close() {
    vae.close();
    transformer.close();
    textEncoders.close();
  }
}
