package io.lightmill.pipeline.torch;

import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import ai.djl.engine.StandardCapabilities;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.util.Utils;
import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The engine of this JVM: libtorch behind DJL, started on first use. */
public final class Torch {

  /** DJL's property for the threads of an operation. */
  static final String THREADS = "ai.djl.pytorch.num_threads";

  private static final Logger LOG = LoggerFactory.getLogger(Torch.class);

  private static Engine engine;

  private Torch() {}

  /** A static initialiser would say why it failed only once, and as an Error. */
  private static synchronized Engine engine() {
    if (engine == null) {
      engine = started();
    }
    return engine;
  }

  /**
   * Starts the engine unless it runs. Every other call would too.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID} if it cannot be started
   */
  public static void start() {
    engine();
  }

  /** Threads that one operation may use when this thread calls it. */
  public static int threads() {
    engine();
    EngineThread.prepare();
    return JniUtils.getNumThreads();
  }

  /**
   * Does work whose operations may use several threads; otherwise each uses one. How sums are
   * rounded depends on the number of threads.
   *
   * @param threads at least 1
   * @param work on the calling thread
   */
  public static <T> T withThreads(int threads, Supplier<T> work) {
    return EngineThread.withThreads(threads, work);
  }

  /** GPUs that libtorch sees; 0 for a build without CUDA. */
  public static int gpus() {
    Engine started = engine();
    if (!started.hasCapability(StandardCapabilities.CUDA)) {
      return 0;
    }
    try {
      return CudaDevices.count();
    } catch (EngineException e) {
      LOG.debug("libtorch does not count its GPUs; DJL counts those of the CUDA runtime", e);
      return started.getGpuCount();
    }
  }

  /**
   * Runs a tiny computation on a device and checks its result.
   *
   * @throws RuntimeException if the device fails it
   */
  public static void requireWorking(Device device) {
    float[] numbers = {1, 2, Float.NaN};
    try (Tensor rows = Tensor.of(numbers, numbers.length, 1);
        Tensor onDevice = rows.to(device, DType.F32);
        Tensor flags = onDevice.finiteRows();
        Tensor onCpu = flags.to(Device.CPU, DType.U8)) {
      if (!Arrays.equals(onCpu.toBytes(), new byte[] {1, 1, 0})) {
        throw new IllegalStateException(device + " computes a wrong result");
      }
    }
  }

  /** Version of libtorch, such as 2.7.1; empty if this JVM has not started it. */
  public static synchronized Optional<String> startedVersion() {
    return Optional.ofNullable(engine).map(Engine::getVersion);
  }

  static NDManager manager() {
    return engine().newBaseManager();
  }

  private static Engine started() {
    ChosenLibtorch.of(Utils::getEnvOrSystemProperty).requireFitting();
    setIfAbsent("ai.djl.offline", "true"); // no downloads, no telemetry
    setIfAbsent("ai.djl.pytorch.num_interop_threads", "1"); // the networks are chains
    setIfAbsent(THREADS, "1"); // EngineThread sets others for its thread
    try {
      return startAlone();
    } catch (EngineException e) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "libtorch %s cannot be started (%s); see that pytorch-native for this platform is on the class path or PYTORCH_LIBRARY_PATH names a libtorch"
              .formatted(ChosenLibtorch.SUPPORTED, e.getMessage()),
          e);
    }
  }

  /** DJL unpacks libtorch on its first start; two JVMs that do so at once can meet half a file. */
  private static Engine startAlone() {
    try {
      Path cache = Files.createDirectories(Utils.getEngineCacheDir());
      try (FileChannel lock =
          FileChannel.open(
              cache.resolve("lightmill.lock"),
              StandardOpenOption.CREATE,
              StandardOpenOption.WRITE)) {
        lock.lock();
        return Engine.getEngine("PyTorch");
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot lock DJL's cache for the start of libtorch", e);
    }
  }

  private static void setIfAbsent(String key, String value) {
    if (System.getProperty(key) == null) {
      System.setProperty(key, value);
    }
  }
}
