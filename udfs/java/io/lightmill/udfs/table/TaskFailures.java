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

  private static final String HEADER_MISMATCH = "CSV header does not conform to the schema";

  /** A message of Spark's CSV parser, which counts lines from 0. */
  private static final Pattern STRAY_QUOTE =
      Pattern.compile("Unescaped quote character.*?Internal state.*?line=(\\d+)", Pattern.DOTALL);

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
    if (StoreOutage.isCauseOf(failure) && !StoreOutage.isUnknownHost(failure)) {
      return Optional.of(
          new LightmillException(
              ErrorCode.STORE_UNAVAILABLE,
              "the store of prompt table '%s' or of the output does not respond (%s); run again when it does, or fix its endpoint"
                  .formatted(table, StoreOutage.reason(failure)),
              failure));
    }
    String trace = ExceptionUtils.getStackTrace(failure);
    if (trace.contains(HEADER_MISMATCH)) {
      return Optional.of(
          invalid(
              "the CSV files of prompt table '%s' have different headers; give all files the same columns in the same order"
                  .formatted(table),
              failure));
    }
    Matcher quote = STRAY_QUOTE.matcher(trace);
    if (quote.find()) {
      return Optional.of(
          invalid(
              "the quotes of prompt table '%s' do not pair up at line %d or before: enclose values that hold commas, quotes or line ends in double quotes, and double the quotes inside"
                  .formatted(table, Long.parseLong(quote.group(1)) + 1),
              failure));
    }
    Matcher file = UNREADABLE_FILE.matcher(trace);
    if (file.find()) {
      return Optional.of(
          invalid(
              "the file %s cannot be read: %s; check that the file is complete and has the format of its extension"
                  .formatted(file.group(1), reason(failure)),
              failure));
    }
    return Optional.empty();
  }

  /** The first line of the message of the root cause. */
  private static String reason(Exception failure) {
    Throwable cause = ExceptionUtils.getRootCause(failure);
    String message = String.valueOf((cause == null ? failure : cause).getMessage());
    return message.lines().findFirst().orElse("no reason given");
  }

  private static LightmillException invalid(String message, Exception failure) {
    return new LightmillException(ErrorCode.INPUT_INVALID, message, failure);
  }
}
