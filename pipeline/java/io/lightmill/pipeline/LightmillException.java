package io.lightmill.pipeline;

import java.util.Objects;

/**
 * An error that the user can fix. The message names the file, row or key, what is wrong with its
 * value, and the fix; the code is for programs. Control characters of quoted values are escaped.
 */
public final class LightmillException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final ErrorCode code;

  public LightmillException(ErrorCode code, String message) {
    this(code, message, null);
  }

  public LightmillException(ErrorCode code, String message, Throwable cause) {
    super(message == null ? null : InvisibleCharacters.escaped(message), cause);
    this.code = Objects.requireNonNull(code, "code");
  }

  public ErrorCode code() {
    return code;
  }
}
