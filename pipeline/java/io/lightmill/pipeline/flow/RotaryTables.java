package io.lightmill.pipeline.flow;

import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorCache;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.LongStream;

/** The rotary tables of a transformer on its device, by size; the last few sizes are kept. */
public final class RotaryTables implements AutoCloseable {

  /** A dozen sizes of FLUX.1 at 1024×1024. */
  private static final long MOST_BYTES = 32L << 20;

  private record Size(List<Long> texts, TokenGrid grid) {}

  private final TensorCache<Size, Tensor> known = new TensorCache<>(MOST_BYTES);

  /**
   * The table of a batch.
   *
   * @param computing computes it from the other arguments and nothing else that changes
   * @param texts tokens of the prompts
   * @return to be closed by the caller
   */
  public Tensor of(TokenGrid grid, Supplier<Tensor> computing, long... texts) {
    return known.get(new Size(LongStream.of(texts).boxed().toList(), grid), computing);
  }

  @Override
  public void close() {
    known.close();
  }
}
