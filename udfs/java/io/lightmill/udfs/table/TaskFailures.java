package io.lightmill.udfs.table;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.store.StoreOutage;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.commons.lang3.exception.ExceptionUtils;

/**
 * Finds the error that a user can fix in an exception of Spark. An exception from another JVM may
 * have lost its class, so the text of the stack trace decides.
 */
public final class TaskFailures {

  /** The message of a {@link LightmillException} whose class was lost. */
  private static final Pattern OURS =
      Pattern.compile("io\\.lightmill\\.pipeline\\.LightmillException: (.+)");

  private static final Pattern UNREADABLE_FILE =
      Pattern.compile("FAILED_READ_FILE\\S* Encountered error while reading file (\\S+?)\\.?\\s");

  private TaskFailures() {}

  /**
   * The same failure, as a {@link LightmillException} if the user can fix it. Spark throws checked
   * exceptions that Scala does not declare; they come back wrapped.
   *
   * @param table its location, for messages
   */
  public static RuntimeException fixable(String table, Exception failure) {
    Optional<LightmillException> fixable = sentence(table, failure);
    if (fixable.isPresent()) {
      return fixable.get();
    }
    return failure instanceof RuntimeException unchecked
        ? unchecked
        : new IllegalStateException("the Spark job failed: " + failure.getMessage(), failure);
  }

  /** The error for a table that cannot be read. */
  static LightmillException unreadable(String table, Exception failure) {
    return sentence(table, failure)
        .orElseGet(
            () ->
                invalid(
                    "prompt table '%s' cannot be read: %s".formatted(table, reason(failure)),
                    failure));
  }

  private static Optional<LightmillException> sentence(String table, Exception failure) {
    LightmillException known = ExceptionUtils.throwableOfType(failure, LightmillException.class);
    if (known != null) {
      return Optional.of(known);
    }
    Optional<LightmillException> unavailable = storeUnavailable(table, failure);
    if (unavailable.isPresent()) {
      return unavailable;
    }
    String trace = ExceptionUtils.getStackTrace(failure);
    Matcher ours = OURS.matcher(trace);
    if (ours.find()) {
      return Optional.of(invalid(ours.group(1), failure));
    }
    Matcher file = UNREADABLE_FILE.matcher(trace);
    if (file.find()) {
      return Optional.of(
          invalid(
              "the file '%s' cannot be read: %s; check that the file is complete and has the format of its extension"
                  .formatted(file.group(1), reason(failure)),
              failure));
    }
    return Optional.empty();
  }

  /** The error for a store that does not respond; empty for any other failure. */
  static Optional<LightmillException> storeUnavailable(String table, Exception failure) {
    return StoreOutage.isCauseOf(failure) && !StoreOutage.isUnknownHost(failure)
        ? Optional.of(
            new LightmillException(
                ErrorCode.STORE_UNAVAILABLE,
                "the store of prompt table '%s' or of the output does not respond (%s); run again when it does, or fix its endpoint"
                    .formatted(table, StoreOutage.reason(failure)),
                failure))
        : Optional.empty();
  }

  /** The first line of the message of the root cause. */
  static String reason(Exception failure) {
    Throwable cause = ExceptionUtils.getRootCause(failure);
    String message = String.valueOf((cause == null ? failure : cause).getMessage());
    return message.lines().findFirst().orElse("no reason given");
  }

  private static LightmillException invalid(String message, Exception failure) {
    return new LightmillException(ErrorCode.INPUT_INVALID, message, failure);
  }
}
