package io.lightmill.pipeline.flow;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.schedule.Schedule;
import io.lightmill.pipeline.torch.Handle;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.UnaryOperator;

/**
 * Takes a batch from noise to latents. One CPU generator per request, {@code
 * torch.Generator("cpu").manual_seed(seed)}, draws its noise.
 */
final class FlowSampler implements AutoCloseable {

  private static final ScriptModule SCRIPT = ScriptModule.of("flow", "Flow");

  private final Device device;
  private final DType dtype;
  private final List<Handle> generators;
  private final long[] shape;
  private final UnaryOperator<Tensor> packing;

  /**
   * @param shape of one image's noise, {@code [1, channels, height, width]}
   * @param packing from noise to what the transformer reads; takes its argument over
   */
  FlowSampler(
      Device device,
      DType dtype,
      List<ImageRequest> batch,
      long[] shape,
      UnaryOperator<Tensor> packing) {
    this.device = device;
    this.dtype = dtype;
    this.shape = shape.clone();
    this.packing = packing;
    this.generators =
        batch.stream()
            .map(request -> SCRIPT.handle("generator", Device.CPU, request.seed()))
            .toList();
  }

  /** The next normal noise of each generator, packed. */
  Tensor noise() {
    try (Tensor noise =
        Tensor.cat(generators, generator -> SCRIPT.tensor("noise", generator, shape, dtype))) {
      return packing.apply(noise.to(device, dtype));
    }
  }

  /**
   * Steps from the schedule's first sigma to its last.
   *
   * @param start latents at the first sigma; stay the caller's
   * @return latents at the last sigma
   * @throws io.lightmill.pipeline.LightmillException with {@code VALUE_INVALID} if the schedule has
   *     sigmas that are not finite
   * @throws CancellationException if the thread is interrupted before a step
   */
  Tensor sample(Schedule schedule, Tensor start, GuidedDenoiser denoiser, TensorProbe probe) {
    float[] sigmas = schedule.requireFinite().sigmas();
    record("sigmas", sigmas, probe);
    record("timesteps", schedule.timesteps(), probe);
    Tensor latents = start;
    for (int i = 0; i < schedule.numInferenceSteps(); i++) {
      Tensor next;
      try {
        requireNoInterrupt("step %d of %d".formatted(i + 1, schedule.numInferenceSteps()));
        FlowStep step =
            new FlowStep(i, schedule.numInferenceSteps(), schedule.timesteps()[i], sigmas[i]);
        try (Tensor velocity = denoiser.velocity(latents, step)) {
          next =
              schedule.stochastic()
                  ? stochasticStep(latents, velocity, sigmas[i], sigmas[i + 1])
                  : SCRIPT.tensor("step", latents, velocity, sigmas[i], sigmas[i + 1]);
        }
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

  private Tensor stochasticStep(Tensor latents, Tensor velocity, double sigma, double sigmaNext) {
    try (Tensor fresh = noise()) {
      return SCRIPT.tensor("stochastic_step", latents, velocity, sigma, sigmaNext, fresh);
    }
  }

  private static void record(String name, float[] values, TensorProbe probe) {
    if (probe != TensorProbe.NONE) {
      try (Tensor tensor = Tensor.of(values, values.length)) {
        probe.record(name, tensor);
      }
    }
  }

  /** Stops an interrupted thread before the named piece of work. */
  static void requireNoInterrupt(String work) {
    if (Thread.currentThread().isInterrupted()) {
      throw new CancellationException("the thread was interrupted before " + work);
    }
  }

  @Override
  public void close() {
    generators.forEach(Handle::close);
  }
}
