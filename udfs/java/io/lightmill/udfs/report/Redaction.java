package io.lightmill.udfs.report;

import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** Keeps secrets out of what is written down. */
public final class Redaction {

  public static final String REDACTED = "*********(redacted)";

  private static final Pattern SECRET =
      Pattern.compile(
          "secret|passw(or)?d|token|credential|access.?key|sas\\.fixed|account\\.key|api.?key",
          Pattern.CASE_INSENSITIVE);

  /** {@code scheme://user:password@host}. */
  private static final Pattern USER_INFO = Pattern.compile("(?<=://)[^/@:\\s]*:[^/@\\s]*@");

  private Redaction() {}

  /**
   * The settings in the order of their keys. Gone are values whose key names a secret, values that
   * name one themselves (a password among Java options), and the users of URIs.
   */
  public static Map<String, String> settings(Map<String, String> settings) {
    Map<String, String> redacted = new TreeMap<>();
    settings.forEach((key, value) -> redacted.put(key, setting(key, value)));
    return redacted;
  }

  private static String setting(String key, String value) {
    return SECRET.matcher(key).find() || SECRET.matcher(value).find() ? REDACTED : location(value);
  }

  /** The location without a user and a password. */
  public static String location(String uri) {
    return USER_INFO.matcher(uri).replaceAll("");
  }
}
