package io.lightmill.pipeline.schedule;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.torch.Handle;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * The way from noise to latents, on one device: draws noise, steps along the flow, guides.
 *
 * @param device that the latents live on
 * @param dtype of the latents
 */
public record Flow(Device device, DType dtype) {

  private static final ScriptModule SCRIPT = ScriptModule.of("flow", "Flow");

  /** A CPU generator for each request, {@code torch.Generator("cpu").manual_seed(seed)}. */
  public List<Handle> generators(List<ImageRequest> batch) {
    return batch.stream()
        .map(request -> SCRIPT.handle("generator", Device.CPU, request.seed()))
        .toList();
  }

  /**
   * The next normal noise of each generator.
   *
   * @return {@code [generators, channels, height, width]} on the device
   */
  public Tensor noise(List<Handle> generators, long channels, long height, long width) {
    long[] shape = {1, channels, height, width};
    return onDevice(cat(generators, generator -> SCRIPT.tensor("noise", generator, shape, dtype)));
  }

  /**
   * What a batch starts from: a copy of the given latents, or else noise.
   *
   * @param shape that given latents must have
   * @throws LightmillException with {@code INPUT_INVALID} if they have another
   */
  public Tensor start(Optional<Tensor> latents, long[] shape, Supplier<Tensor> noise) {
    if (latents.isEmpty()) {
      return noise.get();
    }
    if (!Arrays.equals(latents.get().shape(), shape)) {
      throw new LightmillException(
          ErrorCode.INPUT_INVALID,
          "the latents have the shape %s, where this batch starts from %s"
              .formatted(Arrays.toString(latents.get().shape()), Arrays.toString(shape)));
    }
    return copy(latents.get());
  }

  /** A value of each request of a batch, {@code [batch]} on the device. */
  public Tensor column(List<ImageRequest> batch, ToDoubleFunction<ImageRequest> value) {
    float[] values = new float[batch.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) value.applyAsDouble(batch.get(i));
    }
    return onDevice(Tensor.of(values, values.length));
  }

  /** {@code [batch, channels, height, width]} to a token for each patch of 2×2 latents. */
  public Tensor pack(Tensor latents) {
    return SCRIPT.tensor("pack", latents);
  }

  /** The inverse of {@link #pack} for a picture of {@code rows × columns} tokens. */
  public Tensor unpack(Tensor latents, int rows, int columns) {
    return SCRIPT.tensor("unpack", latents, rows, columns);
  }

  /**
   * Follows the flow from the schedule's first sigma to its last, an Euler step each.
   *
   * @param start latents at the first sigma; stays the caller's
   * @param freshNoise of the latents' shape, for schedules that sample stochastically
   * @return latents at the last sigma
   * @throws LightmillException with {@code VALUE_INVALID} if the schedule holds no numbers
   */
  public Tensor follow(
      Schedule schedule,
      Tensor start,
      Velocity velocity,
      Supplier<Tensor> freshNoise,
      TensorProbe probe) {
    float[] sigmas = schedule.requireNumbers().sigmas();
    record("sigmas", sigmas, probe);
    record("timesteps", schedule.timesteps(), probe);
    Tensor latents = start;
    for (int i = 0; i < schedule.numInferenceSteps(); i++) {
      Tensor next;
      try (Tensor direction = velocity.at(latents, i, schedule.timesteps()[i])) {
        next =
            schedule.stochastic()
                ? stochasticStep(latents, direction, sigmas[i], sigmas[i + 1], freshNoise)
                : SCRIPT.tensor("step", latents, direction, sigmas[i], sigmas[i + 1]);
      } finally {
        if (latents != start) {
          latents.close();
        }
      }
      latents = next;
      probe.record("latents." + i, latents);
    }
    return latents;
  }

  private static void record(String name, float[] values, TensorProbe probe) {
    try (Tensor tensor = Tensor.of(values, values.length)) {
      probe.record(name, tensor);
    }
  }

  private static Tensor stochasticStep(
      Tensor latents, Tensor direction, double sigma, double sigmaNext, Supplier<Tensor> noise) {
    try (Tensor fresh = noise.get()) {
      return SCRIPT.tensor("stochastic_step", latents, direction, sigma, sigmaNext, fresh);
    }
  }

  /**
   * Classifier-free guidance: {@code negative + scale * (positive - negative)}.
   *
   * @param scale {@code [batch]}
   */
  public Tensor guide(Tensor negative, Tensor positive, Tensor scale) {
    return SCRIPT.tensor("guide", negative, positive, scale);
  }

  /** The tensor's rows in this order; a row may come several times. */
  public Tensor select(Tensor tensor, long[] rows) {
    return SCRIPT.tensor("select", tensor, rows);
  }

  /** Makes one tensor of each part, joined along the batch; the tensors made are closed. */
  public <T> Tensor cat(List<T> parts, Function<T, Tensor> making) {
    List<Tensor> made = new ArrayList<>();
    try {
      parts.forEach(part -> made.add(making.apply(part)));
      return SCRIPT.tensor("cat", (Object) made.toArray(new Tensor[0]));
    } finally {
      made.forEach(Tensor::close);
    }
  }

  /** The tensor on the device and in the type of this flow; the given one stays the caller's. */
  public Tensor copy(Tensor tensor) {
    return SCRIPT.tensor("to", tensor, device, dtype);
  }

  /** The tensor on the device and in the type of this flow; the given one is closed. */
  public Tensor onDevice(Tensor tensor) {
    try (tensor) {
      return copy(tensor);
    }
  }

  /** Integers such as token ids on the device; the given tensor is closed. */
  public Tensor idsOnDevice(Tensor ids) {
    try (ids) {
      return SCRIPT.tensor("to", ids, device, DType.I64);
    }
  }

  /**
   * Draws the images of a batch: on a CPU one by one, elsewhere all at once. How the kernels of a
   * CPU round depends on the number of rows, so only an image that is drawn alone is the same bit
   * for bit whatever it is requested with. On GPUs, which need batches to be fast, images of
   * different batches differ within a tolerance.
   *
   * @param drawing from requests to {@code [requests, 3, height, width]} in [0, 1]
   */
  public List<RgbImage> generate(
      List<ImageRequest> batch, Function<List<ImageRequest>, Tensor> drawing) {
    if (batch.size() > 1 && device.equals(Device.CPU)) {
      return batch.stream()
          .flatMap(request -> generate(List.of(request), drawing).stream())
          .toList();
    }
    try (Tensor image = drawing.apply(batch)) {
      return pictures(image);
    }
  }

  /**
   * Pictures in 8 bits; halves round to even.
   *
   * @param image {@code [batch, 3, height, width]} in [0, 1]
   */
  public List<RgbImage> pictures(Tensor image) {
    long[] shape = image.shape();
    int height = Math.toIntExact(shape[2]);
    int width = Math.toIntExact(shape[3]);
    byte[] all;
    try (Tensor quantized = SCRIPT.tensor("quantize", image)) {
      all = quantized.toBytes();
    }
    int size = width * height * 3;
    return IntStream.range(0, Math.toIntExact(shape[0]))
        .mapToObj(i -> Arrays.copyOfRange(all, i * size, (i + 1) * size))
        .map(rgb -> new RgbImage(width, height, rgb))
        .toList();
  }
}
