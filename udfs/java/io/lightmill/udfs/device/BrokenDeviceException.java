package io.lightmill.udfs.device;

/**
 * A device fails even a tiny computation. It does not work again in this process, so the task is to
 * be run in another one; the cause is not an image.
 */
public final class BrokenDeviceException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  public BrokenDeviceException(String message, Throwable cause) {
    super(message, cause);
  }
}
