package io.lightmill.udfs.store;

import java.util.regex.Pattern;
import org.apache.commons.lang3.Strings;
import org.apache.commons.lang3.exception.ExceptionUtils;

/**
 * Recognizes failures that have the store as their cause, and that end when the store responds
 * again.
 */
public final class StoreOutage {

  /**
   * Exceptions of the network, of S3A and of HDFS. The text of the stack trace is searched, because
   * the failure of a task arrives at the driver as text.
   */
  private static final Pattern OUTAGE =
      Pattern.compile(
          "\\b(java\\.net\\.(Connect|Socket|SocketTimeout|NoRouteToHost|UnknownHost)Exception"
              + "|NoHttpResponseException|ConnectTimeoutException|HttpChannelEOFException"
              + "|AWS(Client|Service)IOException|AWSNoResponseException|AWSStatus500Exception"
              + "|AWSServiceThrottledException|AWSApiCallTimeoutException"
              + "|RetriableException|StandbyException|SafeModeException)\\b");

  /** A refusal that may end, since credentials expire and are renewed while a run is active. */
  private static final Pattern DENIED =
      Pattern.compile("\\b(java\\.nio\\.file\\.AccessDeniedException|ExpiredToken)\\b");

  private StoreOutage() {}

  /** Whether the failure is, or has as a cause, that the store did not respond. */
  public static boolean isCauseOf(Throwable failure) {
    return OUTAGE.matcher(ExceptionUtils.getStackTrace(failure)).find();
  }

  /** The first line of what the root cause says. */
  public static String reason(Throwable failure) {
    Throwable root = ExceptionUtils.getRootCause(failure);
    String message = String.valueOf(root.getMessage()).lines().findFirst().orElse("");
    return Strings.CS.removeEnd(message, ".");
  }

  /** Whether the name of the store's host is unknown, which at the start is a wrong endpoint. */
  public static boolean isUnknownHost(Throwable failure) {
    return ExceptionUtils.getStackTrace(failure).contains("java.net.UnknownHostException");
  }

  /** Whether the store refused these credentials. */
  static boolean isDenied(Throwable failure) {
    return DENIED.matcher(ExceptionUtils.getStackTrace(failure)).find();
  }
}
