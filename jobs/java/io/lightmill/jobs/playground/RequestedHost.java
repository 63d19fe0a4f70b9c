package io.lightmill.jobs.playground;

import com.sun.net.httpserver.Headers;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * The host and port that requests name. A page of another site that is called by a name which
 * resolves to this machine (DNS rebinding) names that name; addresses cannot be rebound.
 *
 * @param host to listen on
 */
record RequestedHost(String host, int port) {

  private static final Pattern ADDRESS =
      Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}|\\[[0-9a-f:.]+]");

  /** Host and port of the page's address. */
  String authority() {
    boolean any = host.equals("0.0.0.0") || host.equals("::");
    String shown = any ? "127.0.0.1" : host.contains(":") ? "[" + host + "]" : host;
    return shown + ":" + port;
  }

  /** Whether a request names this server. */
  boolean accepts(Headers headers) {
    return headers.getOrDefault("Host", java.util.List.of()).size() == 1
        && names(headers.getFirst("Host"));
  }

  private boolean names(String authority) {
    String given = authority.toLowerCase(Locale.ROOT);
    String end = ":" + port;
    if (!given.endsWith(end)) {
      return false;
    }
    String name = given.substring(0, given.length() - end.length());
    return name.equals("localhost")
        || name.equals(host.toLowerCase(Locale.ROOT))
        || ADDRESS.matcher(name).matches();
  }

  /** Whether a call comes from a page of this server, and not from a form of another. */
  boolean fromThisPage(Headers headers) {
    String origin = headers.getFirst("Origin");
    String type = headers.getFirst("Content-Type");
    return type != null
        && type.startsWith("application/json")
        && (origin == null || origin.equals("http://" + headers.getFirst("Host")));
  }
}
