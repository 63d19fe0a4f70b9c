package io.lightmill.udfs;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.pipeline.PromptLength;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.udfs.device.JobCheckpoint;
import io.lightmill.udfs.device.Model;
import io.lightmill.udfs.device.PipelineLoader;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * A pipeline without a network: it paints every image in the colours of its seed, remembers what it
 * was asked for, and fails when told to. Prompts are as long as their words.
 */
public final class PaintStudio {

  public static final PipelineLimits LIMITS =
      new PipelineLimits(
          16,
          1024,
          128 * 128,
          8,
          1,
          ClassifierFreeGuidance.TRUE_CFG_SCALE,
          new PipelineLimits.Defaults(32, 32, 4, 3.5, 1.0, 8));

  static final Model MODEL =
      new Model(
          "paint",
          "0123456789abcdef",
          "PaintPipeline",
          "PaintScheduler",
          "float32",
          Map.of("brand", "b4a4d", "style", "57713"));

  private static final Map<String, PaintStudio> OPEN = new ConcurrentHashMap<>();

  public final List<List<ImageRequest>> batches = new CopyOnWriteArrayList<>();
  public final AtomicInteger loads = new AtomicInteger();
  public final AtomicInteger loadAttempts = new AtomicInteger();
  public final AtomicInteger closes = new AtomicInteger();
  private final String name = UUID.randomUUID().toString();
  public final AtomicInteger deviceChecks = new AtomicInteger();
  private volatile boolean empty;
  private volatile boolean broken;
  private volatile Consumer<List<ImageRequest>> fault = batch -> {};

  public PaintStudio() {
    OPEN.put(name, this);
  }

  /** Runs before each batch is painted, and may throw. */
  public PaintStudio failing(Consumer<List<ImageRequest>> fault) {
    this.fault = fault;
    return this;
  }

  /** Its device fails from now on, whatever it computes. */
  public PaintStudio breakDevice() {
    this.broken = true;
    return this;
  }

  /** Its device is replaced by one that works. */
  public PaintStudio repairDevice() {
    this.broken = false;
    return this;
  }

  /** Has no weights to load. */
  public PaintStudio unloadable() {
    this.empty = true;
    return this;
  }

  /** Images that were drawn, again or for the first time. */
  int drawn() {
    return batches.stream().mapToInt(List::size).sum();
  }

  public PipelineLoader loader() {
    return new Loader(name);
  }

  JobCheckpoint checkpoint() {
    return new JobCheckpoint(MODEL, LIMITS, loader());
  }

  /** An image in the colours of its seed. */
  static RgbImage painted(ImageRequest request) {
    byte[] rgb = new byte[request.width() * request.height() * 3];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (byte) (request.seed() >> (8 * (i % 3)));
    }
    return new RgbImage(request.width(), request.height(), rgb);
  }

  /** Travels as its name; the studio stays in this JVM. */
  private record Loader(String key) implements PipelineLoader {

    @Override
    public PromptLength promptLength() {
      return new Words();
    }

    @Override
    public DiffusionPipeline load(Device device) {
      PaintStudio studio = OPEN.get(key);
      studio.loadAttempts.incrementAndGet();
      if (studio.empty) {
        throw new LightmillException(ErrorCode.WEIGHTS_INVALID, "no weights in this studio");
      }
      studio.loads.incrementAndGet();
      return new Painter(studio);
    }
  }

  /** Prompts are as long as their words. */
  record Words() implements PromptLength {

    @Override
    public int tokens(String prompt) {
      return prompt.strip().split("\\s+").length;
    }

    @Override
    public void close() {}
  }

  private record Painter(PaintStudio studio) implements DiffusionPipeline {

    @Override
    public List<RgbImage> generate(List<ImageRequest> batch) {
      studio.batches.add(List.copyOf(batch));
      studio.fault.accept(batch);
      if (studio.broken) {
        throw new IllegalStateException("CUDA error: device-side assert triggered");
      }
      return batch.stream().map(PaintStudio::painted).toList();
    }

    @Override
    public void requireWorkingDevice() {
      studio.deviceChecks.incrementAndGet();
      if (studio.broken) {
        throw new IllegalStateException("CUDA error: device-side assert triggered");
      }
    }

    @Override
    public void close() {
      studio.closes.incrementAndGet();
    }
  }
}
