package io.lightmill.pipeline.flow;

import io.lightmill.pipeline.BatchResult;
import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.ImageResult;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.LoraBlend;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.Loading;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.checkpoint.WeightStore;
import io.lightmill.pipeline.lora.LoraAdapter;
import io.lightmill.pipeline.lora.LoraWeights;
import io.lightmill.pipeline.schedule.FlowMatchEulerDiscreteScheduler;
import io.lightmill.pipeline.schedule.Schedule;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import io.lightmill.pipeline.torch.Torch;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * The pipeline of every family: encodes prompts, denoises latents, decodes images. The three phases
 * can be called one by one, in any order of batches.
 */
public final class FlowPipeline implements DiffusionPipeline {

  private final Family family;
  private final PipelineLimits limits;
  private final Device device;
  private final DType dtype;
  private final Schedules schedules;
  private final Guidance guidance;
  private final LoadedNetworks networks;
  private final boolean owner;

  private FlowPipeline(
      Family family,
      PipelineLimits limits,
      Device device,
      DType dtype,
      Schedules schedules,
      Guidance guidance,
      LoadedNetworks networks,
      boolean owner) {
    this.family = family;
    this.limits = limits;
    this.device = device;
    this.dtype = dtype;
    this.schedules = schedules;
    this.guidance = guidance;
    this.networks = networks;
    this.owner = owner;
  }

  /**
   * Loads the networks of a checkpoint.
   *
   * @param dtype that the networks compute in
   * @param adapters that requests may name
   * @param offload whether text encoders, transformer and autoencoder are on the device one after
   *     the other, loaded anew for each phase. Drawings are exclusive then.
   * @throws LightmillException if a component is missing, damaged or does not fit the others
   */
  public static FlowPipeline load(
      Family family,
      Checkpoint checkpoint,
      Device device,
      DType dtype,
      Map<String, LoraAdapter> adapters,
      boolean offload) {
    Map<String, LoraAdapter> declared = Map.copyOf(adapters);
    PipelineLimits limits = family.limits(checkpoint);
    FlowMatchEulerDiscreteScheduler scheduler =
        FlowMatchEulerDiscreteScheduler.of(checkpoint.config("scheduler"));
    Guidance guidance = family.guidance(checkpoint);
    WeightStore store = offload ? WeightStore.offloaded(device) : WeightStore.resident();
    LoadedNetworks networks =
        new LoadedNetworks(
            device,
            store,
            offload,
            declared,
            blend ->
                family.load(
                    checkpoint,
                    new WeightLoader(
                        device,
                        dtype,
                        store.place(new LoraWeights(declared, blend, device, dtype)))));
    return new FlowPipeline(
        family,
        limits,
        device,
        dtype,
        new Schedules(family, scheduler),
        guidance,
        networks,
        /* owner= */ true);
  }

  /**
   * This pipeline with other settings: values of {@code model_index.json} and arguments of
   * diffusers' pipeline that no request carries. It shares the weights; closing it does nothing.
   *
   * @param given settings by diffusers' names; all others stay as they are
   */
  public FlowPipeline with(ComponentConfig given) {
    return new FlowPipeline(
        family,
        limits,
        device,
        dtype,
        schedules,
        family.guidance(guidance, given),
        networks,
        /* owner= */ false);
  }

  @Override
  public PipelineLimits limits() {
    return limits;
  }

  /**
   * {@inheritDoc}
   *
   * <p>A CPU draws the images one by one: how its kernels round depends on the number of rows, so
   * only an image that is drawn alone is the same bit for bit whatever shares its batch. With
   * offloading, all images of the batch go through one phase before the next, so that the batch
   * loads each network once. Other devices draw the batch at once, within a tolerance.
   */
  @Override
  public List<RgbImage> generate(List<ImageRequest> batch) {
    return generate(batch, TensorProbe.NONE);
  }

  /**
   * As {@link #generate(List)}. The images do not depend on the probe.
   *
   * @param probe sees the intermediate tensors: {@code latents.N} after step N, from 0
   */
  public List<RgbImage> generate(List<ImageRequest> batch, TensorProbe probe) {
    return results(batch, probe).stream().map(ImageResult::orElseThrow).toList();
  }

  @Override
  public List<ImageResult> results(List<ImageRequest> batch) {
    return results(batch, TensorProbe.NONE);
  }

  private List<ImageResult> results(List<ImageRequest> batch, TensorProbe probe) {
    return new ChunkDrawing(this, networks, device, dtype, probe).results(batch);
  }

  /** Draws each batch at once, on any device. */
  List<ImageResult> byPhase(List<List<ImageRequest>> batches, TensorProbe probe) {
    return new ChunkDrawing(this, networks, device, dtype, probe)
        .byPhase(batches, () -> true).stream()
            .flatMap(result -> result.orElseThrow().stream())
            .toList();
  }

  /** {@inheritDoc} */
  @Override
  public List<BatchResult> drawChunk(List<List<ImageRequest>> batches, BooleanSupplier goOn) {
    return new ChunkDrawing(this, networks, device, dtype, TensorProbe.NONE).draw(batches, goOn);
  }

  /**
   * Runs the three phases on one batch.
   *
   * @param batch requests with one {@link io.lightmill.pipeline.BatchKey}
   * @param latents to start from instead of noise from the seeds, in the shape of diffusers' {@code
   *     latents=} argument; stay the caller's
   * @param probe sees the intermediate tensors
   * @return images {@code [batch, 3, height, width]} in [0, 1], to be closed by the caller
   */
  public Tensor draw(List<ImageRequest> batch, Optional<Tensor> latents, TensorProbe probe) {
    try (LoadedNetworks.Lease lease = networks.lease(batch.get(0).lora());
        EncodedBatch encoded = encode(lease.networks(), batch, probe, PromptCache.Count.NONE);
        DenoisedBatch denoised = denoise(lease.networks(), encoded, latents, probe)) {
      return decode(lease.networks(), denoised, probe);
    }
  }

  /**
   * Encodes the prompts of a batch and, with guidance, its negative prompts.
   *
   * @param batch requests with one {@link io.lightmill.pipeline.BatchKey}
   */
  public EncodedBatch encode(List<ImageRequest> batch, TensorProbe probe) {
    try (LoadedNetworks.Lease lease = networks.lease(batch.get(0).lora())) {
      return encode(lease.networks(), batch, probe, PromptCache.Count.NONE);
    }
  }

  /**
   * @param counted receives the number of texts, and how many of them were known already
   */
  EncodedBatch encode(
      FlowNetworks loaded, List<ImageRequest> batch, TensorProbe probe, PromptCache.Count counted) {
    FlowSampler.requireNoInterrupt("encoding prompts");
    PromptCache known = networks.prompts();
    LoraBlend lora = batch.get(0).lora();
    try (Loading loading = new Loading()) {
      PromptEmbeddings prompts =
          loading.add(known.encode(loaded, lora, PromptTexts.of(batch), probe, counted));
      Optional<PromptEmbeddings> negative =
          guidance.argument().guides(batch.get(0))
              ? Optional.of(known.encode(loaded, lora, PromptTexts.negative(batch), probe, counted))
              : Optional.empty();
      loading.complete();
      return new EncodedBatch(List.copyOf(batch), prompts, negative);
    }
  }

  /**
   * Takes latents from noise to the image.
   *
   * @param encoded by this pipeline; stays the caller's
   * @param start latents as {@link #draw} takes them
   * @throws LightmillException with {@code INPUT_INVALID} if the start has another shape, with
   *     {@code VALUE_INVALID} if the scheduler has no finite sigmas for the steps
   */
  public DenoisedBatch denoise(EncodedBatch encoded, Optional<Tensor> start, TensorProbe probe) {
    try (LoadedNetworks.Lease lease = networks.lease(encoded.batch().get(0).lora())) {
      return denoise(lease.networks(), encoded, start, probe);
    }
  }

  DenoisedBatch denoise(
      FlowNetworks loaded, EncodedBatch encoded, Optional<Tensor> start, TensorProbe probe) {
    List<ImageRequest> batch = encoded.batch();
    ImageRequest any = batch.get(0);
    TokenGrid grid = loaded.latents().grid(any);
    Schedule schedule = schedules.of(any.numInferenceSteps(), grid.tokens());
    long[] shape = loaded.latents().noiseShape(grid);
    try (FlowSampler sampler = new FlowSampler(device, dtype, batch, shape, loaded::pack);
        Tensor first =
            start
                .map(given -> packed(loaded, given, batch.size(), grid))
                .orElseGet(sampler::noise);
        Tensor weight = weights(batch);
        EncodedBatch onDevice = encoded.to(device);
        GuidedDenoiser denoiser =
            new GuidedDenoiser(
                guidance, loaded, onDevice, grid, schedule.timesteps(), weight, probe)) {
      Tensor latents = sampler.sample(schedule, first, denoiser, probe);
      return new DenoisedBatch(batch, latents, denoiser.calls());
    }
  }

  private Tensor packed(FlowNetworks loaded, Tensor given, int images, TokenGrid grid) {
    long[] shape = loaded.latents().argumentShape(images, grid);
    if (!Arrays.equals(given.shape(), shape)) {
      throw new LightmillException(
          ErrorCode.INPUT_INVALID,
          "the latents have the shape %s, but this batch starts from %s; pass latents of that shape"
              .formatted(Arrays.toString(given.shape()), Arrays.toString(shape)));
    }
    Tensor copy = given.to(device, dtype);
    return loaded.latents().packed() ? copy : loaded.pack(copy);
  }

  /** The guidance argument of each request, {@code [batch]}. */
  private Tensor weights(List<ImageRequest> batch) {
    float[] values = new float[batch.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) guidance.argument().argument(batch.get(i));
    }
    return Tensor.of(values, device, dtype);
  }

  /**
   * Decodes latents.
   *
   * @param denoised by this pipeline; stays the caller's
   * @return images {@code [batch, 3, height, width]} in [0, 1], to be closed by the caller
   */
  public Tensor decode(DenoisedBatch denoised, TensorProbe probe) {
    try (LoadedNetworks.Lease lease = networks.lease(denoised.batch().get(0).lora())) {
      return decode(lease.networks(), denoised, probe);
    }
  }

  static Tensor decode(FlowNetworks loaded, DenoisedBatch denoised, TensorProbe probe) {
    FlowSampler.requireNoInterrupt("decoding latents");
    TokenGrid grid = loaded.latents().grid(denoised.batch().get(0));
    Tensor image = loaded.decode(denoised.latents(), grid, probe);
    probe.record("image", image);
    return image;
  }

  @Override
  public void requireWorkingDevice() {
    Torch.requireWorking(device);
  }

  @Override
  public void close() {
    if (owner) {
      networks.close();
    }
  }
}
