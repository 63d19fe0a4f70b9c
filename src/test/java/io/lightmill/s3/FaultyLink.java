package io.lightmill.s3;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;

/** The way to an S3 service, on loopback: it passes calls on, writes them down, and fails. */
public final class FaultyLink implements AutoCloseable {

  /** What happens to one call. */
  public enum Fault {
    NONE,
    /** 503 SlowDown; the service never hears of the call. */
    SLOW_DOWN,
    /** 403 AccessDenied; the service never hears of the call. */
    DENIED,
    /** The connection breaks before the service hears of the call. */
    DROPPED_BEFORE,
    /** The call takes effect, and the connection breaks before the answer. */
    DROPPED_AFTER,
    /** The call arrives twice, as from two who do the same, and the second answer is given. */
    TWICE,
    /** The answer takes a while. */
    SLOW
  }

  /**
   * A call as it arrives.
   *
   * @param target path and query
   */
  public record Call(String method, String target) {

    /** Whether it may change what is stored. */
    public boolean changes() {
      return !method.equals("GET") && !method.equals("HEAD");
    }

    @Override
    public String toString() {
      return method + " " + target;
    }
  }

  private static final long SLOW_MILLIS = 300;

  static {
    // Otherwise each answer with a body waits 40 ms for the client's delayed acknowledgement.
    System.setProperty("sun.net.httpserver.nodelay", "true");
  }

  /** Headers that belong to one connection, and that the client writes itself. */
  private static final Set<String> OF_THE_CONNECTION =
      Set.of(
          "host", "connection", "content-length", "expect", "transfer-encoding", "upgrade", "date");

  private final HttpServer server;
  private final URI service;
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final List<Call> calls = new CopyOnWriteArrayList<>();
  private final ReentrantLock changing = new ReentrantLock();
  private final CountDownLatch closed = new CountDownLatch(1);
  private volatile Runnable droppedAfter = () -> {};
  private volatile Function<Call, Fault> faults = call -> Fault.NONE;

  public FaultyLink(URI service) throws IOException {
    this.service = service;
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(
        Executors.newCachedThreadPool(
            task -> {
              Thread thread = new Thread(task, "faulty link");
              thread.setDaemon(true);
              return thread;
            }));
    server.createContext("/", this::answer);
    server.start();
  }

  public URI endpoint() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  /** Injects these faults into all further calls; called from several threads. */
  public FaultyLink failing(Function<Call, Fault> which) {
    faults = which;
    return this;
  }

  /** Runs between the effect of a call and the break of its connection. */
  public FaultyLink droppedAfter(Runnable action) {
    droppedAfter = action;
    return this;
  }

  /** The calls so far that may have changed something. */
  public List<String> changes() {
    return calls.stream().filter(Call::changes).map(Call::toString).toList();
  }

  public List<Call> calls() {
    return List.copyOf(calls);
  }

  private void answer(HttpExchange exchange) throws IOException {
    Call call = new Call(exchange.getRequestMethod(), exchange.getRequestURI().toString());
    calls.add(call);
    byte[] body = exchange.getRequestBody().readAllBytes();
    Fault fault = faults.apply(call);
    switch (fault) {
      case SLOW_DOWN -> refuse(exchange, 503, "SlowDown");
      case DENIED -> refuse(exchange, 403, "AccessDenied");
      case DROPPED_BEFORE -> throw new IOException("dropped before the service");
      default -> {
        HttpResponse<byte[]> response = passedOn(exchange, body);
        if (fault == Fault.TWICE) {
          response = passedOn(exchange, body);
        }
        if (fault == Fault.DROPPED_AFTER) {
          droppedAfter.run();
          throw new IOException("dropped after the service");
        }
        if (fault == Fault.SLOW) {
          dawdle();
        }
        passBack(exchange, response);
      }
    }
  }

  private HttpResponse<byte[]> passedOn(HttpExchange exchange, byte[] body) throws IOException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(service.toString() + exchange.getRequestURI()))
            .method(exchange.getRequestMethod(), HttpRequest.BodyPublishers.ofByteArray(body));
    exchange
        .getRequestHeaders()
        .forEach(
            (name, values) -> {
              if (!OF_THE_CONNECTION.contains(name.toLowerCase(Locale.ROOT))) {
                values.forEach(value -> request.header(name, value));
              }
            });
    try {
      return sent(request.build());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }

  /** S3 looks and writes in one step, s3proxy in two: so changes go one at a time. */
  private HttpResponse<byte[]> sent(HttpRequest request) throws IOException, InterruptedException {
    if (request.method().equals("GET") || request.method().equals("HEAD")) {
      return client.send(request, HttpResponse.BodyHandlers.ofByteArray());
    }
    changing.lockInterruptibly();
    try {
      return client.send(request, HttpResponse.BodyHandlers.ofByteArray());
    } finally {
      changing.unlock();
    }
  }

  private static void passBack(HttpExchange exchange, HttpResponse<byte[]> response)
      throws IOException {
    response
        .headers()
        .map()
        .forEach(
            (name, values) -> {
              if (!OF_THE_CONNECTION.contains(name.toLowerCase(Locale.ROOT))) {
                values.forEach(value -> exchange.getResponseHeaders().add(name, value));
              }
            });
    if (exchange.getRequestMethod().equals("HEAD")) {
      response
          .headers()
          .firstValue("content-length")
          .ifPresent(length -> exchange.getResponseHeaders().set("Content-Length", length));
      exchange.sendResponseHeaders(response.statusCode(), -1);
    } else {
      send(exchange, response.statusCode(), response.body());
    }
    exchange.close();
  }

  private static void refuse(HttpExchange exchange, int status, String code) throws IOException {
    String error = "<Error><Code>%s</Code><Message>injected</Message></Error>".formatted(code);
    exchange.getResponseHeaders().set("Content-Type", "application/xml");
    if (exchange.getRequestMethod().equals("HEAD")) {
      exchange.sendResponseHeaders(status, -1);
    } else {
      send(exchange, status, error.getBytes(StandardCharsets.UTF_8));
    }
    exchange.close();
  }

  private static void send(HttpExchange exchange, int status, byte[] body) throws IOException {
    exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
    if (body.length > 0) {
      exchange.getResponseBody().write(body);
    }
  }

  private void dawdle() throws IOException {
    try {
      closed.await(SLOW_MILLIS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }

  @Override
  public void close() {
    closed.countDown();
    server.stop(0);
  }
}
