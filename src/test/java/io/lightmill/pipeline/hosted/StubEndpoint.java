package io.lightmill.pipeline.hosted;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.image.ImageEncoder;
import io.lightmill.pipeline.image.Pixels;
import java.awt.image.BufferedImage;
import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import javax.imageio.ImageIO;
import javax.net.ServerSocketFactory;

/**
 * An image endpoint on loopback that follows the published contract of Foundry and OpenAI, counts
 * what it gets, and misbehaves on demand. A request counts as soon as it is read.
 */
public final class StubEndpoint implements AutoCloseable {

  /** The key that it accepts. */
  public static final String KEY = "sk-stub-5ecret-7hat-nobody-may-see";

  private static final JsonMapper JSON = new JsonMapper();
  private static final Map<String, String> IMAGES = new ConcurrentHashMap<>();

  /**
   * A request as it was read.
   *
   * @param attempt number of this request among those with the same prompt, from 1
   * @param arrived by {@link System#nanoTime}
   */
  public record Seen(
      JsonNode body, Map<String, String> headers, String path, int attempt, long arrived) {

    public String prompt() {
      return body.path("prompt").asText();
    }

    /** The requested size as {@code WxH}. */
    public String size() {
      return body.has("size")
          ? body.path("size").asText()
          : body.path("width").asInt() + "x" + body.path("height").asInt();
    }
  }

  /** What the endpoint does with a request. */
  public interface Reaction {

    void to(Seen request, OutputStream out, Socket connection) throws IOException;
  }

  public final List<Seen> requests = new CopyOnWriteArrayList<>();
  private final Map<String, AtomicInteger> attempts = new ConcurrentHashMap<>();
  private final Map<String, AtomicInteger> successes = new ConcurrentHashMap<>();
  private final AtomicInteger open = new AtomicInteger();
  private final AtomicInteger mostOpen = new AtomicInteger();
  private final AtomicInteger unread = new AtomicInteger();
  private final ServerSocket server;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final List<Socket> connections = new CopyOnWriteArrayList<>();
  private volatile BiFunction<String, Integer, Reaction> reactions = (prompt, attempt) -> picture();
  private volatile int resetsBeforeReading;

  /** Begins to listen. */
  public StubEndpoint() throws IOException {
    this(ServerSocketFactory.getDefault());
  }

  /** Begins to listen on sockets of this factory, such as those of TLS. */
  StubEndpoint(ServerSocketFactory sockets) throws IOException {
    server = sockets.createServerSocket(0, 100, InetAddress.getLoopbackAddress());
    threads.execute(this::accept);
  }

  /** Reacts to a prompt and the number of its request, from 1. */
  public StubEndpoint reacting(BiFunction<String, Integer, Reaction> chosen) {
    reactions = chosen;
    return this;
  }

  /** Resets so many connections when their requests have arrived, which do not count as read. */
  public StubEndpoint resettingUnread(int connectionCount) {
    resetsBeforeReading = connectionCount;
    return this;
  }

  /** The location of a model here, as an option names it. */
  public String foundry() {
    return "foundry:http://127.0.0.1:%d/mai/v1/images/generations#MAI-Image-2e"
        .formatted(server.getLocalPort());
  }

  /** The location of a model here, as an option names it. */
  public String openai(String model) {
    return "openai:http://127.0.0.1:%d/v1/images/generations#%s"
        .formatted(server.getLocalPort(), model);
  }

  public int port() {
    return server.getLocalPort();
  }

  /** The greatest number of requests that waited for an answer at the same time. */
  public int mostAtOnce() {
    return mostOpen.get();
  }

  /** The greatest number of requests within a time. */
  public int mostWithin(long nanos) {
    List<Long> arrivals = requests.stream().map(Seen::arrived).sorted().toList();
    int most = 0;
    for (int first = 0, last = 0; last < arrivals.size(); last++) {
      while (arrivals.get(last) - arrivals.get(first) >= nanos) {
        first++;
      }
      most = Math.max(most, last - first + 1);
    }
    return most;
  }

  /** How often each prompt was answered with an image. */
  public Map<String, Integer> successes() {
    Map<String, Integer> counts = new LinkedHashMap<>();
    successes.forEach((prompt, count) -> counts.put(prompt, count.get()));
    return counts;
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket connection = server.accept();
        connections.add(connection);
        threads.execute(() -> serve(connection));
      } catch (IOException e) {
        return; // closed
      }
    }
  }

  private void serve(Socket connection) {
    try (connection) {
      InputStream in = new BufferedInputStream(connection.getInputStream());
      if (unread.getAndIncrement() < resetsBeforeReading) {
        read(in); // so that the client has sent all of it, however slow it is
        reset(connection);
      }
      while (true) {
        Seen request = read(in);
        if (request == null) {
          return;
        }
        int now = open.incrementAndGet();
        mostOpen.accumulateAndGet(now, Math::max);
        requests.add(request);
        try {
          react(request, connection);
        } finally {
          open.decrementAndGet();
        }
      }
    } catch (IOException e) {
      // a reset, or the client went away
    }
  }

  private void react(Seen request, Socket connection) throws IOException {
    ByteArrayOutputStream answer = new ByteArrayOutputStream();
    Reaction reaction =
        KEY.equals(request.headers().get("api-key"))
                || ("Bearer " + KEY).equals(request.headers().get("authorization"))
            ? reactions.apply(request.prompt(), request.attempt())
            : error(
                401,
                "{\"error\":{\"code\":\"401\",\"message\":\"wrong key "
                    + request.headers().get("api-key")
                    + "\"}}");
    reaction.to(request, answer, connection);
    if (answer.toString(StandardCharsets.ISO_8859_1).startsWith("HTTP/1.1 200")) {
      successes.computeIfAbsent(request.prompt(), key -> new AtomicInteger()).incrementAndGet();
    }
    connection.getOutputStream().write(answer.toByteArray());
    connection.getOutputStream().flush();
  }

  private Seen read(InputStream in) throws IOException {
    String first = line(in);
    if (first == null) {
      return null;
    }
    Map<String, String> headers = new LinkedHashMap<>();
    for (String line = line(in); line != null && !line.isEmpty(); line = line(in)) {
      int colon = line.indexOf(':');
      headers.put(
          line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).strip());
    }
    byte[] body = in.readNBytes(Integer.parseInt(headers.getOrDefault("content-length", "0")));
    JsonNode json = JSON.readTree(body);
    int attempt =
        attempts
            .computeIfAbsent(json.path("prompt").asText(), key -> new AtomicInteger())
            .incrementAndGet();
    return new Seen(json, headers, first.split(" ", -1)[1], attempt, System.nanoTime());
  }

  private static String line(InputStream in) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int next = in.read(); next != '\n'; next = in.read()) {
      if (next < 0) {
        return null;
      }
      if (next != '\r') {
        line.write(next);
      }
    }
    return line.toString(StandardCharsets.ISO_8859_1);
  }

  /** Answers with an image of the requested size. */
  public static Reaction picture() {
    return (request, out, connection) ->
        write(out, 200, "", success(request, encoded(request.size())));
  }

  /** Answers with this text instead of an image in Base64. */
  public static Reaction base64(String text) {
    return (request, out, connection) -> write(out, 200, "", success(request, text));
  }

  /** Answers with an image of another size. */
  public static Reaction pictureOf(String size) {
    return (request, out, connection) -> write(out, 200, "", success(request, encoded(size)));
  }

  /** Answers as {@code then} does, once the latch is open. */
  public static Reaction after(CountDownLatch latch, Reaction then) {
    return (request, out, connection) -> {
      try {
        latch.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      then.to(request, out, connection);
    };
  }

  /** Answers with an error. */
  public static Reaction error(int status, String json, String... headers) {
    return (request, out, connection) ->
        write(
            out,
            status,
            String.join("", List.of(headers).stream().map(h -> h + "\r\n").toList()),
            json);
  }

  /** Resets the connection, once the request is read. */
  public static Reaction reset() {
    return (request, out, connection) -> reset(connection);
  }

  /** Ends the answer in its middle. */
  public static Reaction truncated() {
    return (request, out, connection) -> {
      ByteArrayOutputStream whole = new ByteArrayOutputStream();
      write(whole, 200, "", success(request, encoded(request.size())));
      connection.getOutputStream().write(whole.toByteArray(), 0, whole.size() / 2);
      connection.getOutputStream().flush();
      reset(connection);
    };
  }

  /** Closes a connection with a TCP reset. */
  private static void reset(Socket connection) throws IOException {
    connection.setSoLinger(true, 0);
    connection.close();
    throw new SocketException("reset by the endpoint");
  }

  private static String success(Seen request, String image) {
    String[] size = request.size().split("x", -1);
    long tokens = Long.parseLong(size[0]) * Long.parseLong(size[1]) / 1024;
    String usage =
        request.path().contains("/mai/") // a proxy gets the whole URL
            ? "\"num_output_tokens\":%d,\"num_input_text_tokens\":10,\"num_input_image_tokens\":0"
                .formatted(tokens)
            : "\"input_tokens\":10,\"output_tokens\":%d,\"total_tokens\":%d"
                .formatted(tokens, tokens + 10);
    return "{\"created\":1791229019,\"model\":\"M\",\"size\":\"%s\",\"usage\":{%s},\"data\":[{\"b64_json\":\"%s\"}]}"
        .formatted(request.size(), usage, image);
  }

  private static void write(OutputStream out, int status, String headers, String json)
      throws IOException {
    byte[] body = json.getBytes(StandardCharsets.UTF_8);
    out.write(
        "HTTP/1.1 %d Status\r\nContent-Type: application/json\r\nx-ms-request-id: request-7\r\nContent-Length: %d\r\n%s\r\n"
            .formatted(status, body.length, headers)
            .getBytes(StandardCharsets.ISO_8859_1));
    out.write(body);
  }

  /** A gradient as PNG in Base64. */
  public static String encoded(String size) {
    return IMAGES.computeIfAbsent(
        size,
        key -> {
          String[] sides = key.split("x", -1);
          int width = Integer.parseInt(sides[0]);
          int height = Integer.parseInt(sides[1]);
          BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
          for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
              image.setRGB(x, y, (x * 255 / width) << 16 | (y * 255 / height) << 8 | 90);
            }
          }
          try {
            ByteArrayOutputStream png = new ByteArrayOutputStream();
            ImageIO.write(image, "png", png);
            return Base64.getEncoder().encodeToString(png.toByteArray());
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
  }

  /** The same gradient as JPEG in Base64. */
  public static String jpeg(String size) {
    try {
      byte[] png = Base64.getDecoder().decode(encoded(size));
      RgbImage image = Pixels.copy(ImageIO.read(new ByteArrayInputStream(png)));
      return Base64.getEncoder().encodeToString(ImageEncoder.jpeg(image));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
    for (Socket connection : connections) {
      connection.close();
    }
    threads.shutdownNow();
  }
}
