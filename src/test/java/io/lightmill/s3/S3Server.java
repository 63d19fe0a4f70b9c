package io.lightmill.s3;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.gaul.s3proxy.S3Proxy;
import org.jclouds.ContextBuilder;
import org.jclouds.blobstore.BlobStoreContext;

/** A real S3 service on loopback, in this JVM and its memory, with one bucket. */
public final class S3Server implements AutoCloseable {

  public static final String BUCKET = "shop";

  private final S3Proxy server;
  private final HttpClient client = HttpClient.newHttpClient();

  private S3Server(S3Proxy server) {
    this.server = server;
  }

  public static S3Server start() throws Exception {
    BlobStoreContext objects =
        ContextBuilder.newBuilder("transient-nio2")
            .credentials("key", "secret")
            .build(BlobStoreContext.class);
    S3Proxy proxy =
        S3Proxy.builder()
            .blobStore(objects.getBlobStore())
            .endpoint(URI.create("http://127.0.0.1:0"))
            .build();
    proxy.start();
    S3Server started = new S3Server(proxy);
    started.send("PUT", "/" + BUCKET);
    return started;
  }

  public URI endpoint() {
    return URI.create("http://127.0.0.1:" + server.getPort());
  }

  /** The bytes of an object of the bucket. */
  public byte[] object(String key) throws Exception {
    return send("GET", "/" + BUCKET + "/" + key).body();
  }

  /** Whether the bucket has an object of this key. */
  public boolean has(String key) throws Exception {
    return send("HEAD", "/" + BUCKET + "/" + key).statusCode() == 200;
  }

  public String contentType(String key) throws Exception {
    return send("HEAD", "/" + BUCKET + "/" + key).headers().firstValue("content-type").orElse("");
  }

  /** The names of the multipart uploads that nobody has completed, as the service lists them. */
  public String pendingUploads() throws Exception {
    return new String(send("GET", "/" + BUCKET + "?uploads").body(), UTF_8);
  }

  /** The settings of S3A for this service, without the {@code spark.hadoop.} before their names. */
  public Map<String, String> settings() {
    return settings(endpoint());
  }

  /** The same for a service behind another endpoint. */
  public static Map<String, String> settings(URI endpoint) {
    Map<String, String> settings = new TreeMap<>();
    settings.put("fs.s3a.endpoint", endpoint.toString());
    settings.put("fs.s3a.endpoint.region", "us-east-1");
    settings.put("fs.s3a.path.style.access", "true");
    settings.put("fs.s3a.connection.ssl.enabled", "false");
    settings.put("fs.s3a.access.key", "key");
    settings.put("fs.s3a.secret.key", "secret");
    settings.put(
        "fs.s3a.aws.credentials.provider", "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider");
    settings.put("fs.s3a.fast.upload.buffer", "array");
    settings.put("fs.s3a.retry.interval", "20ms");
    settings.put("fs.s3a.retry.throttle.interval", "20ms");
    return settings;
  }

  /** A configuration of its own, and with it file systems of its own. */
  public static Configuration configuration(URI endpoint) {
    Configuration configuration = new Configuration(false);
    configuration.set("fs.s3a.impl", "org.apache.hadoop.fs.s3a.S3AFileSystem");
    configuration.set("fs.s3a.buffer.dir", System.getProperty("java.io.tmpdir"));
    configuration.setBoolean("fs.s3a.impl.disable.cache", true);
    settings(endpoint).forEach(configuration::set);
    return configuration;
  }

  private HttpResponse<byte[]> send(String method, String path) throws Exception {
    return client.send(
        HttpRequest.newBuilder(endpoint().resolve(path))
            .method(method, HttpRequest.BodyPublishers.noBody())
            .build(),
        HttpResponse.BodyHandlers.ofByteArray());
  }

  @Override
  public void close() {
    try {
      server.stop();
    } catch (Exception e) { // declared without a kind
      throw new IllegalStateException("S3 on loopback does not stop", e);
    }
  }
}
