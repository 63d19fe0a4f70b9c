package io.lightmill.pipeline.flow;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.StepCaching;
import io.lightmill.pipeline.checkpoint.Loading;
import io.lightmill.pipeline.torch.Handle;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/**
 * Evaluates a transformer from step to step, and reuses what its blocks added to the image tokens
 * where {@link StepCaching} allows it. Each row of the batch is decided by its own numbers: rows
 * that reuse are taken out of the batch, and the blocks compute the others.
 */
final class StepCache implements AutoCloseable {

  private static final ScriptModule SCRIPT = ScriptModule.of("step_cache", "StepCache");

  private final StepCaching caching;
  private final Denoiser denoiser;
  private final TokenGrid grid;
  private final int[] calls;

  /** Changes of each row since its last computed step, added up. */
  private final double[] changes;

  /** What the next step's change is measured against; null before the first step. */
  private Tensor compared;

  /** What the blocks added at each row's last computed step; null before the first step. */
  private Tensor residual;

  /**
   * @param denoiser stays the caller's
   * @param rows of its batch
   */
  StepCache(StepCaching caching, Denoiser denoiser, TokenGrid grid, int rows) {
    this.caching = caching;
    this.denoiser = denoiser;
    this.grid = grid;
    this.calls = new int[rows];
    this.changes = new double[rows];
  }

  /** The flow's velocity at the next step, of the latents' shape; to be closed by the caller. */
  Tensor velocity(Tensor latents, FlowStep step) {
    boolean passFirst = caching.method() == StepCaching.Method.FIRST_BLOCK;
    try (Loading open = new Loading()) {
      Handle hidden = open.add(denoiser.embed(latents, step));
      Handle start = passFirst ? open.add(denoiser.first(hidden)) : hidden;
      long[] rows = computed(hidden, start, step);
      Tensor image = open.add(image(start, passFirst ? 1 : 0, rows));
      return denoiser.project(image, hidden);
    }
  }

  /** Steps of each row at which the blocks were computed. */
  int[] calls() {
    return calls.clone();
  }

  /** The rows to compute at a step. */
  private long[] computed(Handle hidden, Handle start, FlowStep step) {
    return switch (caching.method()) {
      case NONE -> all();
      case MASK -> rows(row -> caching.masksIn(step.number(), step.count()));
      case SEA -> bySpectrum(hidden, step);
      case FIRST_BLOCK -> byFirstBlock(hidden, start, step);
    };
  }

  private long[] bySpectrum(Handle hidden, FlowStep step) {
    if (step.isLast()) {
      return all();
    }
    Tensor filtered;
    try (Tensor input = denoiser.modulated(hidden)) {
      filtered = SCRIPT.tensor("filter", input, grid.rows(), grid.columns(), step.sigma());
    }
    try (Tensor before = compared) {
      compared = filtered;
      if (before == null) {
        return all();
      }
      float[] change = change(filtered, before);
      return rows(
          row -> {
            changes[row] += change[row];
            boolean compute = !(changes[row] < caching.threshold()); // also if it is not a number
            if (compute) {
              changes[row] = 0;
            }
            return compute;
          });
    }
  }

  private long[] byFirstBlock(Handle hidden, Handle start, FlowStep step) {
    if (step.isLast()) {
      return all();
    }
    Tensor added = SCRIPT.tensor("first_residual", start, hidden);
    if (compared == null) {
      compared = added;
      return all();
    }
    try (added) {
      float[] change = change(added, compared);
      long[] rows = rows(row -> !(change[row] <= caching.threshold()));
      if (rows.length > 0) {
        try (Tensor chosen = added.select(rows)) {
          compared = replaced(compared, rows, chosen);
        }
      }
      return rows;
    }
  }

  private static float[] change(Tensor now, Tensor before) {
    try (Tensor change = SCRIPT.tensor("change", now, before);
        Tensor onCpu = change.to(Device.CPU, DType.F32)) {
      return onCpu.toFloats();
    }
  }

  /** The image tokens after the last block. */
  private Tensor image(Handle start, int done, long[] rows) {
    for (long row : rows) {
      calls[Math.toIntExact(row)]++;
    }
    if (rows.length == calls.length) {
      Tensor image = denoiser.rest(start, done);
      keep(SCRIPT.tensor("residual", image, start));
      return image;
    }
    Tensor reused = SCRIPT.tensor("add", start, residual);
    if (rows.length == 0) {
      return reused;
    }
    try (Handle some = SCRIPT.handle("select", start, rows);
        Tensor image = denoiser.rest(some, done);
        Tensor added = SCRIPT.tensor("residual", image, some)) {
      residual = replaced(residual, rows, added);
      return replaced(reused, rows, image);
    }
  }

  private void keep(Tensor newResidual) {
    if (residual != null) {
      residual.close();
    }
    residual = newResidual;
  }

  /** The first tensor with other values in some rows; closes it. */
  private static Tensor replaced(Tensor tensor, long[] rows, Tensor values) {
    try (tensor) {
      return SCRIPT.tensor("replace", tensor, rows, values);
    }
  }

  private long[] all() {
    return rows(row -> true);
  }

  private long[] rows(IntPredicate chosen) {
    return IntStream.range(0, calls.length).filter(chosen).asLongStream().toArray();
  }

  @Override
  public void close() {
    if (residual != null) {
      residual.close();
    }
    if (compared != null) {
      compared.close();
    }
  }
}
