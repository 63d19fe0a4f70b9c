package io.lightmill.pipeline.store;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.hadoop.conf.Configuration;

/**
 * As much of S3 on loopback as one bucket needs: PUT, HEAD, GET and DELETE of objects. It knows no
 * directories, so any other call answers 404, and every call is written down.
 */
final class S3Endpoint implements AutoCloseable {

  private final HttpServer server;
  private final Map<String, byte[]> objects = new ConcurrentHashMap<>();
  private final Map<String, String> contentTypes = new ConcurrentHashMap<>();
  private final List<String> changes = new CopyOnWriteArrayList<>();
  private volatile boolean readOnly;

  S3Endpoint() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::answer);
    server.start();
  }

  /** From now on all changes are answered with 403. */
  void denyChanges() {
    readOnly = true;
  }

  byte[] object(String path) {
    return objects.get(path);
  }

  String contentType(String path) {
    return contentTypes.get(path);
  }

  /** All calls that would change something, such as {@code PUT /bucket/key}. */
  List<String> changes() {
    return changes;
  }

  Configuration configuration() {
    Configuration configuration = new Configuration(false);
    configuration.set("fs.s3a.impl", "org.apache.hadoop.fs.s3a.S3AFileSystem");
    configuration.set("fs.s3a.endpoint", "http://127.0.0.1:" + server.getAddress().getPort());
    configuration.set("fs.s3a.endpoint.region", "us-east-1");
    configuration.set("fs.s3a.path.style.access", "true");
    configuration.set("fs.s3a.access.key", "key");
    configuration.set("fs.s3a.secret.key", "secret");
    configuration.set("fs.s3a.attempts.maximum", "1");
    configuration.set("fs.s3a.buffer.dir", System.getProperty("java.io.tmpdir"));
    configuration.setBoolean("fs.s3a.impl.disable.cache", true);
    return configuration;
  }

  @Override
  public void close() {
    server.stop(0);
  }

  private void answer(HttpExchange exchange) {
    try (exchange) {
      String path = exchange.getRequestURI().getPath();
      byte[] body = exchange.getRequestBody().readAllBytes();
      switch (exchange.getRequestMethod()) {
        case "HEAD", "GET" -> send(exchange, objects.get(path));
        default -> change(exchange, path, body);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void change(HttpExchange exchange, String path, byte[] body) throws IOException {
    String query = exchange.getRequestURI().getQuery();
    String method = exchange.getRequestMethod();
    changes.add(method + " " + path + (query == null ? "" : "?" + query));
    if (readOnly) {
      exchange.sendResponseHeaders(403, -1);
    } else if (method.equals("PUT")) {
      boolean chunked = exchange.getRequestHeaders().containsKey("x-amz-decoded-content-length");
      byte[] object = chunked ? joined(body) : body;
      objects.put(path, object);
      contentTypes.put(path, exchange.getRequestHeaders().getFirst("Content-Type"));
      exchange.getResponseHeaders().set("ETag", '"' + DigestUtils.md5Hex(object) + '"');
      exchange.sendResponseHeaders(200, -1);
    } else {
      objects.remove(path);
      exchange.sendResponseHeaders(204, -1);
    }
  }

  private static void send(HttpExchange exchange, byte[] object) throws IOException {
    if (object == null) {
      exchange.sendResponseHeaders(404, -1);
      return;
    }
    exchange.getResponseHeaders().set("ETag", '"' + DigestUtils.md5Hex(object) + '"');
    exchange.getResponseHeaders().set("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT");
    if (exchange.getRequestMethod().equals("HEAD")) {
      exchange.getResponseHeaders().set("Content-Length", Integer.toString(object.length));
      exchange.sendResponseHeaders(200, -1);
    } else {
      exchange.sendResponseHeaders(200, object.length);
      exchange.getResponseBody().write(object);
    }
  }

  /** Joins the chunks of a signed stream: a hexadecimal length, a signature, a line, the bytes. */
  private static byte[] joined(byte[] body) {
    ByteArrayOutputStream object = new ByteArrayOutputStream();
    int at = 0;
    while (true) {
      int line = at;
      while (body[line] != '\r') {
        line++;
      }
      String header = new String(body, at, line - at, StandardCharsets.US_ASCII);
      int length = HexFormat.fromHexDigits(header.substring(0, header.indexOf(';')));
      if (length == 0) {
        return object.toByteArray();
      }
      object.write(body, line + 2, length);
      at = line + 2 + length + 2;
    }
  }
}
