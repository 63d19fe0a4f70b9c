package io.lightmill.udfs.device;

import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.LightmillException;
import java.util.regex.Pattern;

/** Tells failures of a device from failures of images. */
public final class DeviceFailures {

  /** Errors of the CUDA runtime, driver and libraries, as libtorch words them. */
  private static final Pattern OF_DEVICE =
      Pattern.compile(
          "CUDA (driver )?error|CU(BLAS|DNN|SOLVER|SPARSE|FFT)_STATUS_|NVML|device-side");

  private static final Pattern OUT_OF_MEMORY =
      Pattern.compile("out of memory|_STATUS_ALLOC_FAILED", Pattern.CASE_INSENSITIVE);

  private DeviceFailures() {}

  /** Whether an error is the engine's; others are known errors of a request or a checkpoint. */
  public static boolean ofEngine(RuntimeException failure) {
    return !(failure instanceof LightmillException);
  }

  /** Whether a batch needed more memory than the device has. */
  public static boolean outOfMemory(RuntimeException failure) {
    return OUT_OF_MEMORY.matcher(failure.toString()).find();
  }

  /** Whether an error may mean that the device no longer works. */
  public static boolean mayBreak(RuntimeException failure) {
    String text = failure.toString();
    return ofEngine(failure) && OF_DEVICE.matcher(text).find() && !outOfMemory(failure);
  }

  /**
   * Runs a tiny computation on the device of a pipeline.
   *
   * @param failure that makes it necessary
   * @throws BrokenDeviceException if the computation fails
   */
  public static void requireWorking(DiffusionPipeline pipeline, RuntimeException failure) {
    try {
      pipeline.requireWorkingDevice();
    } catch (RuntimeException e) {
      failure.addSuppressed(e);
      throw broken("the device fails a tiny computation, after it failed to draw", failure);
    }
  }

  static BrokenDeviceException broken(String sentence, RuntimeException failure) {
    return new BrokenDeviceException(sentence + ": " + firstLine(failure), failure);
  }

  private static String firstLine(RuntimeException failure) {
    return failure.toString().lines().findFirst().orElse("");
  }
}
