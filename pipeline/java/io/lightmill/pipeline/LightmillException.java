package io.lightmill.pipeline;

import java.util.Objects;

/**
 * A failure that the user can fix. The message names the file, row or key, what was wrong with its
 * value, and the fix; the code says the same to a machine.
 */
public final class LightmillException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final ErrorCode code;

  public LightmillException(ErrorCode code, String message) {
    this(code, message, null);
  }

  public LightmillException(ErrorCode code, String message, Throwable cause) {
    super(message, cause);
    this.code = Objects.requireNonNull(code, "code");
  }

  public ErrorCode code() {
    return code;
  }
}
