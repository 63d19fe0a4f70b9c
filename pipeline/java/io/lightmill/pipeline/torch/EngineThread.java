package io.lightmill.pipeline.torch;

import ai.djl.pytorch.jni.JniUtils;
import java.util.function.Supplier;

/**
 * What libtorch keeps for each thread that calls it: how many threads an operation may use, and
 * that methods are not recompiled. OpenMP and MKL keep the number of threads by calling thread, so
 * it is set on the thread that draws, before it calls the engine.
 */
final class EngineThread {

  private static final ThreadLocal<EngineThread> CURRENT =
      ThreadLocal.withInitial(EngineThread::new);

  /** DJL's own setting is 1 unless a user chose another; see {@link Torch}. */
  private int wanted = Integer.getInteger(Torch.THREADS, 1);

  private int set;

  static <T> T withThreads(int threads, Supplier<T> work) {
    EngineThread current = CURRENT.get();
    int before = current.wanted;
    current.wanted = threads;
    try {
      return work.get();
    } finally {
      current.wanted = before;
    }
  }

  /** Makes the engine work for this thread as it is wanted; called before each call of it. */
  static void prepare() {
    CURRENT.get().apply();
  }

  private void apply() {
    if (set == 0) {
      // The profiling executor recompiles each method on its first calls and gains nothing here.
      JniUtils.setGraphExecutorOptimize(false);
    }
    if (set != wanted) {
      JniUtils.setNumThreads(wanted);
      set = wanted;
    }
  }
}
