package io.lightmill.pipeline.lora;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.LoraBlend;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.Residence;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * A checkpoint with adapters, of which each batch chooses. One batch draws at a time.
 *
 * <p>Adapters are applied while a network runs: a layer computes {@code W x + B (A x)}. Folding
 * {@code B A} into {@code W} would save 2 to 10 % of the time, but needs the adapted layers, most
 * of a transformer, a second time beside the checkpoint's own; it would round small adapters away
 * in 16 bits; and a change of adapter would cost seconds where it now costs the adapter's own few
 * megabytes. Since diffusers computes so too unless told to fuse, the pictures are diffusers'.
 */
public final class LoraPipeline implements DiffusionPipeline {

  /** Blends whose adapters stay on the device; a table in batch order uses one at a time. */
  private static final int MOST_BLENDS = 4;

  private final Map<String, LoraAdapter> adapters;
  private final Device device;
  private final DType dtype;
  private final Residence residence;
  private final Function<WeightLoader, DiffusionPipeline> loading;
  private final Map<LoraBlend, DiffusionPipeline> loaded = new LinkedHashMap<>(8, 0.75f, true);
  private final DiffusionPipeline plain;

  /**
   * Loads the checkpoint; adapters follow when they are asked for.
   *
   * @param adapters that requests may name
   * @param residence of the checkpoint's networks; closed with this
   * @param loading makes a pipeline over the checkpoint
   */
  public LoraPipeline(
      Map<String, LoraAdapter> adapters,
      Device device,
      DType dtype,
      Residence residence,
      Function<WeightLoader, DiffusionPipeline> loading) {
    this.adapters = Map.copyOf(adapters);
    this.device = device;
    this.dtype = dtype;
    this.residence = residence;
    this.loading = loading;
    try {
      this.plain = load(LoraBlend.NONE);
    } catch (RuntimeException e) {
      residence.close();
      throw e;
    }
  }

  private DiffusionPipeline load(LoraBlend blend) {
    WeightLoader.Place place = residence.place(new LoraWeights(adapters, blend, device, dtype));
    return loading.apply(new WeightLoader(device, dtype, place));
  }

  @Override
  public synchronized List<RgbImage> generate(List<ImageRequest> batch) {
    return adapted(batch).generate(batch);
  }

  @Override
  public synchronized Tensor draw(
      List<ImageRequest> batch, Optional<Tensor> latents, TensorProbe probe) {
    return adapted(batch).draw(batch, latents, probe);
  }

  private DiffusionPipeline adapted(List<ImageRequest> batch) {
    LoraBlend blend = batch.get(0).lora();
    if (blend.isEmpty()) {
      return plain;
    }
    if (!adapters.keySet().containsAll(blend.weights().keySet())) {
      throw new LightmillException(
          ErrorCode.VALUE_INVALID,
          "lora '%s' names an adapter that is none of %s; declare it for the job"
              .formatted(blend, adapters.keySet()));
    }
    DiffusionPipeline there = loaded.get(blend);
    if (there == null) {
      makeRoom();
      there = load(blend);
      loaded.put(blend, there);
    }
    return there;
  }

  private void makeRoom() {
    Iterator<DiffusionPipeline> longestUnused = loaded.values().iterator();
    while (loaded.size() >= MOST_BLENDS) {
      longestUnused.next().close();
      longestUnused.remove();
    }
  }

  @Override
  public DiffusionPipeline with(ComponentConfig given) {
    return new View(pipeline -> pipeline.with(given));
  }

  /** This pipeline under other settings. */
  private final class View implements DiffusionPipeline {

    private final UnaryOperator<DiffusionPipeline> settings;

    private View(UnaryOperator<DiffusionPipeline> settings) {
      this.settings = settings;
    }

    @Override
    public List<RgbImage> generate(List<ImageRequest> batch) {
      synchronized (LoraPipeline.this) {
        return settings.apply(adapted(batch)).generate(batch);
      }
    }

    @Override
    public Tensor draw(List<ImageRequest> batch, Optional<Tensor> latents, TensorProbe probe) {
      synchronized (LoraPipeline.this) {
        return settings.apply(adapted(batch)).draw(batch, latents, probe);
      }
    }

    @Override
    public DiffusionPipeline with(ComponentConfig given) {
      return new View(pipeline -> settings.apply(pipeline).with(given));
    }

    @Override
    public void close() {}
  }

  @Override
  public synchronized void close() {
    loaded.values().forEach(DiffusionPipeline::close);
    loaded.clear();
    plain.close();
    residence.close();
  }
}
