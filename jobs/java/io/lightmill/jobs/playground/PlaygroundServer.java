package io.lightmill.jobs.playground;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.playground.DrawRequest;
import io.lightmill.udfs.playground.Playground;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The playground's page and its calls, below a random path. The server is the JDK's: it parses HTTP
 * and has no routes, but five fixed ones need none, and a library would bring a second Jetty or
 * Netty, or a Servlet API that is not Spark's, onto the class path of every run.
 *
 * <p>A request is answered only if its path has the token, and its {@code Host} is this server's:
 * so neither another page of the browser nor a name that resolves to this machine can call it. No
 * path names a file.
 */
public final class PlaygroundServer implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(PlaygroundServer.class);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int TOKEN_BYTES = 16;
  private static final int MOST_BODY = 1 << 20;
  private static final int FORBIDDEN = 403;
  private static final int NOT_FOUND = 404;
  private static final int NOT_ALLOWED = 405;
  private static final int INVALID = 400;
  private static final int OK = 200;

  private final Playground playground;
  private final HttpServer server;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final RequestedHost host;
  private final byte[] token;

  private PlaygroundServer(
      Playground playground, HttpServer server, RequestedHost host, String token) {
    this.playground = playground;
    this.server = server;
    this.host = host;
    this.token = token.getBytes(UTF_8);
  }

  /**
   * Serves a playground until closed.
   *
   * @param host address to listen on
   * @param port 0 for any that is free
   * @throws LightmillException with {@code CONFIGURATION_INVALID} if the address cannot be used
   */
  public static PlaygroundServer start(Playground playground, String host, int port) {
    byte[] random = new byte[TOKEN_BYTES];
    new SecureRandom().nextBytes(random);
    String token = Base64.getUrlEncoder().withoutPadding().encodeToString(random);
    try {
      HttpServer http = HttpServer.create(new InetSocketAddress(host, port), 0);
      PlaygroundServer server =
          new PlaygroundServer(
              playground, http, new RequestedHost(host, http.getAddress().getPort()), token);
      http.createContext("/", server::answer);
      http.setExecutor(server.threads);
      http.start();
      return server;
    } catch (IOException | IllegalArgumentException e) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "the playground cannot listen on %s, port %d: %s; give another --host or --port"
              .formatted(host, port, e),
          e);
    }
  }

  /** The address of the page, with its token. */
  public String address() {
    return "http://%s/%s/".formatted(host.authority(), new String(token, UTF_8));
  }

  private void answer(HttpExchange exchange) {
    try (exchange) {
      headers(exchange.getResponseHeaders());
      String[] path = exchange.getRequestURI().getPath().split("/", -1);
      if (!host.accepts(exchange.getRequestHeaders())) {
        send(exchange, FORBIDDEN, "text/plain", "the request names another host");
      } else if (path.length != 3 || !MessageDigest.isEqual(path[1].getBytes(UTF_8), token)) {
        send(exchange, NOT_FOUND, "text/plain", "use the address that lightmill playground prints");
      } else {
        route(exchange, path[2]);
      }
    } catch (IOException e) { // the browser has gone
      LOG.debug("A request ends early", e);
    } catch (RuntimeException e) {
      LOG.error("A request of the playground fails", e);
    }
  }

  private void route(HttpExchange exchange, String name) throws IOException {
    boolean post = exchange.getRequestMethod().equals("POST");
    switch (name) {
      case "", "page.css", "page.js", "setup" -> {
        if (!exchange.getRequestMethod().equals("GET")) {
          send(exchange, NOT_ALLOWED, "text/plain", "GET it");
        } else if (name.equals("setup")) {
          send(exchange, OK, "application/json", JSON.writeValueAsString(playground.setup()));
        } else {
          file(exchange, name);
        }
      }
      case "draw", "cancel", "row" -> {
        if (post && host.fromThisPage(exchange.getRequestHeaders())) {
          call(exchange, name);
        } else {
          send(exchange, post ? FORBIDDEN : NOT_ALLOWED, "text/plain", "POST JSON from the page");
        }
      }
      default -> send(exchange, NOT_FOUND, "text/plain", "no such call");
    }
  }

  private void call(HttpExchange exchange, String name) throws IOException {
    try {
      JsonNode body = body(exchange);
      switch (name) {
        case "row" ->
            send(
                exchange,
                OK,
                "application/json",
                JSON.writeValueAsString(playground.pasted(body.path("text").asText())));
        case "cancel" -> {
          playground.cancel(body.path("id").asText());
          send(exchange, OK, "application/json", "{}");
        }
        default -> draw(exchange, DrawRequest.of(body));
      }
    } catch (LightmillException e) {
      send(
          exchange,
          INVALID,
          "application/json",
          JSON.writeValueAsString(Map.of("message", e.getMessage())));
    }
  }

  private static JsonNode body(HttpExchange exchange) throws IOException {
    try (InputStream in = exchange.getRequestBody()) {
      byte[] bytes = in.readNBytes(MOST_BODY + 1);
      if (bytes.length > MOST_BODY) {
        throw new LightmillException(
            ErrorCode.INPUT_INVALID, "the request has more than 1 MiB; give less text");
      }
      return JSON.readTree(bytes);
    } catch (com.fasterxml.jackson.core.JacksonException e) {
      throw new LightmillException(
          ErrorCode.INPUT_INVALID, "the request is no JSON: " + e.getOriginalMessage(), e);
    }
  }

  /** Answers with one JSON object a line, as they come. */
  private void draw(HttpExchange exchange, DrawRequest request) throws IOException {
    exchange.getResponseHeaders().set("Content-Type", "application/x-ndjson");
    exchange.sendResponseHeaders(OK, 0);
    try (OutputStream out = exchange.getResponseBody()) {
      playground.draw(
          request,
          event -> {
            try {
              out.write((JSON.writeValueAsString(event) + "\n").getBytes(UTF_8));
              out.flush();
            } catch (IOException e) { // the page was closed or has cancelled
              throw new java.io.UncheckedIOException(e);
            }
          });
    } catch (java.io.UncheckedIOException e) {
      LOG.debug("The page does not wait for its pictures any more", e);
    }
  }

  private static void file(HttpExchange exchange, String name) throws IOException {
    String resource = name.isEmpty() ? "page.html" : name;
    String type =
        name.isEmpty() ? "text/html" : name.endsWith(".css") ? "text/css" : "text/javascript";
    try (InputStream in = PlaygroundServer.class.getResourceAsStream("/playground/" + resource)) {
      send(exchange, OK, type + "; charset=utf-8", new String(in.readAllBytes(), UTF_8));
    }
  }

  private static void headers(Headers headers) {
    headers.set(
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data: blob:;"
            + " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    headers.set("Cache-Control", "no-store");
    headers.set("Referrer-Policy", "no-referrer"); // the address has the token
    headers.set("X-Content-Type-Options", "nosniff");
    headers.set("Cross-Origin-Resource-Policy", "same-origin");
    headers.set("Cross-Origin-Opener-Policy", "same-origin");
  }

  private static void send(HttpExchange exchange, int status, String type, String text)
      throws IOException {
    byte[] bytes = text.getBytes(UTF_8);
    exchange.getResponseHeaders().set("Content-Type", type);
    exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  /** Stops listening. */
  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
