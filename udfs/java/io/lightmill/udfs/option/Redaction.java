package io.lightmill.udfs.option;

import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** Removes secrets from what is logged, printed and stored. */
public final class Redaction {

  public static final String REDACTED = "*********(redacted)";

  private static final Pattern SECRET =
      Pattern.compile(
          "secret|passw(or)?d|passphrase|token|credential|(access|api|private|encryption).?key|sas\\.fixed|account\\.key",
          Pattern.CASE_INSENSITIVE);

  /** {@code scheme://user:password@host}. */
  private static final Pattern USER_INFO = Pattern.compile("(?<=://)[^/@:\\s]*:[^/@\\s]*@");

  private Redaction() {}

  /**
   * The settings in the order of their keys. Replaced are values whose key names a secret and
   * values that name one themselves (a password among Java options); users are removed from URIs.
   */
  public static Map<String, String> settings(Map<String, String> settings) {
    Map<String, String> redacted = new TreeMap<>();
    settings.forEach((key, value) -> redacted.put(key, setting(key, value)));
    return redacted;
  }

  private static String setting(String key, String value) {
    return SECRET.matcher(key).find() ? REDACTED : text(value);
  }

  /** Any text, as messages quote it. */
  static String text(String value) {
    return SECRET.matcher(value).find() ? REDACTED : location(value);
  }

  /** A value of an option, as job files have it. */
  static Object plain(Object value) {
    if (value instanceof Map<?, ?> map) {
      Map<String, String> settings = new TreeMap<>();
      map.forEach((name, each) -> settings.put(name.toString(), each.toString()));
      return settings(settings);
    }
    return value instanceof String text ? location(text) : value;
  }

  /** The location without a user and a password. */
  public static String location(String uri) {
    return USER_INFO.matcher(uri).replaceAll("");
  }
}
