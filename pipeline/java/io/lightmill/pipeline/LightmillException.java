package io.lightmill.pipeline;

import java.util.Objects;

/**
 * An error that the user can fix. The message names the file, row or key, what is wrong with its
 * value, and the fix; the code is for programs. Control characters of quoted values are escaped.
 */
public final class LightmillException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  /** The most characters of a message, which logs and manifests hold. */
  public static final int MOST_CHARACTERS = 8_000;

  private static final int END = 1_000;

  private final ErrorCode code;

  public LightmillException(ErrorCode code, String message) {
    this(code, message, null);
  }

  public LightmillException(ErrorCode code, String message, Throwable cause) {
    super(message == null ? null : bounded(InvisibleCharacters.escaped(message)), cause);
    this.code = Objects.requireNonNull(code, "code");
  }

  /** The middle is what a message quotes; its ends name the place and the fix. */
  private static String bounded(String message) {
    if (message.length() <= MOST_CHARACTERS) {
      return message;
    }
    int head = MOST_CHARACTERS - END;
    int tail = message.length() - END;
    return message.substring(0, Character.isLowSurrogate(message.charAt(head)) ? head - 1 : head)
        + "\u2026"
        + message.substring(Character.isLowSurrogate(message.charAt(tail)) ? tail + 1 : tail);
  }

  public ErrorCode code() {
    return code;
  }
}
