package io.lightmill.udfs;

import io.lightmill.pipeline.BatchResult;
import io.lightmill.pipeline.BatchWork;
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
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * A pipeline without a network: it fills every image with the colour of its seed, records its
 * batches and fails on demand. The length of a prompt is its number of words.
 */
public final class SolidColorPipeline {

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

  private static final Map<String, SolidColorPipeline> OPEN = new ConcurrentHashMap<>();

  public final List<List<ImageRequest>> batches = new CopyOnWriteArrayList<>();
  public final AtomicInteger loads = new AtomicInteger();
  public final AtomicInteger loadAttempts = new AtomicInteger();
  public final AtomicInteger closes = new AtomicInteger();
  private final String name = UUID.randomUUID().toString();
  public final AtomicInteger deviceChecks = new AtomicInteger();

  /** Prompts whose length was asked for, which is once for each row that is planned. */
  public final AtomicInteger planned = new AtomicInteger();

  private volatile boolean empty;
  private volatile boolean broken;
  private volatile Optional<Duration> taken = Optional.empty();
  private volatile Consumer<List<ImageRequest>> fault = batch -> {};

  public SolidColorPipeline() {
    OPEN.put(name, this);
  }

  /** Requests of different seeds with one batch key. */
  public static List<ImageRequest> batch(int size) {
    return IntStream.range(0, size)
        .mapToObj(
            seed ->
                ImageRequest.builder("p" + seed)
                    .width(16)
                    .height(16)
                    .numInferenceSteps(1)
                    .guidanceScale(0)
                    .trueCfgScale(1)
                    .maxSequenceLength(8)
                    .seed(seed)
                    .build())
        .toList();
  }

  /** Runs before each batch, and may throw. */
  public SolidColorPipeline failing(Consumer<List<ImageRequest>> fault) {
    this.fault = fault;
    return this;
  }

  /** Says that each batch takes so long, whatever it takes. */
  public SolidColorPipeline taking(Duration batch) {
    this.taken = Optional.of(batch);
    return this;
  }

  /** Its device fails from now on, whatever it computes. */
  public SolidColorPipeline breakDevice() {
    this.broken = true;
    return this;
  }

  /** Its device is replaced by one that works. */
  public SolidColorPipeline repairDevice() {
    this.broken = false;
    return this;
  }

  /** Fails to load, as without weights. */
  public SolidColorPipeline unloadable() {
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

  public JobCheckpoint checkpoint() {
    return new JobCheckpoint(MODEL, LIMITS, loader());
  }

  /** An image in the colour of its seed. */
  static RgbImage filled(ImageRequest request) {
    byte[] rgb = new byte[request.width() * request.height() * 3];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (byte) (request.seed() >> (8 * (i % 3)));
    }
    return new RgbImage(request.width(), request.height(), rgb);
  }

  /** Serialized as a name; the pipeline stays in this JVM. */
  private record Loader(String key) implements PipelineLoader {

    @Override
    public PromptLength promptLength() {
      return new CountedWords(OPEN.get(key));
    }

    @Override
    public DiffusionPipeline load(Device device) {
      SolidColorPipeline pipeline = OPEN.get(key);
      pipeline.loadAttempts.incrementAndGet();
      if (pipeline.empty) {
        throw new LightmillException(ErrorCode.WEIGHTS_INVALID, "this pipeline has no weights");
      }
      pipeline.loads.incrementAndGet();
      return new Loaded(pipeline);
    }
  }

  /** The length of a prompt is its number of words. */
  record Words() implements PromptLength {

    @Override
    public int tokens(String prompt) {
      return prompt.strip().split("\\s+").length;
    }

    @Override
    public void close() {}
  }

  private record CountedWords(SolidColorPipeline pipeline) implements PromptLength {

    @Override
    public int tokens(String prompt) {
      pipeline.planned.incrementAndGet();
      return new Words().tokens(prompt);
    }

    @Override
    public void close() {}
  }

  private record Loaded(SolidColorPipeline pipeline) implements DiffusionPipeline {

    @Override
    public PipelineLimits limits() {
      return LIMITS;
    }

    @Override
    public List<RgbImage> generate(List<ImageRequest> batch) {
      pipeline.batches.add(List.copyOf(batch));
      pipeline.fault.accept(batch);
      if (pipeline.broken) {
        throw new IllegalStateException("CUDA error: device-side assert triggered");
      }
      return batch.stream().map(SolidColorPipeline::filled).toList();
    }

    @Override
    public List<BatchResult> drawChunk(List<List<ImageRequest>> batches, BooleanSupplier goOn) {
      return DiffusionPipeline.super.drawChunk(batches, goOn).stream()
          .map(
              result ->
                  new BatchResult(
                      result.images(),
                      result.failure(),
                      pipeline.taken.map(BatchWork::ofUnknownPhases).orElse(result.work())))
          .toList();
    }

    @Override
    public void requireWorkingDevice() {
      pipeline.deviceChecks.incrementAndGet();
      if (pipeline.broken) {
        throw new IllegalStateException("CUDA error: device-side assert triggered");
      }
    }

    @Override
    public void close() {
      pipeline.closes.incrementAndGet();
    }
  }
}
