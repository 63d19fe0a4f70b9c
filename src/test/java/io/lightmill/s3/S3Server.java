package io.lightmill.s3;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.lightmill.udfs.store.StoreRetry;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.gaul.s3proxy.S3Proxy;
import org.jclouds.ContextBuilder;
import org.jclouds.blobstore.BlobStoreContext;

/**
 * A real S3 service on loopback. Its one bucket has a name of its own, so that the settings of
 * several services do not meet in a session.
 */
public final class S3Server implements AutoCloseable {

  /** Who wrote the service: what holds on one alone may be its habit, and not S3's. */
  public enum Software {
    /** In this JVM and its memory, one service for each {@link S3Server}. */
    S3PROXY,
    /** In a process of its own, one for all JVMs, with a bucket for each {@link S3Server}. */
    S3MOCK
  }

  private static final AtomicInteger BUCKETS = new AtomicInteger();

  private final URI endpoint;
  private final String bucket;
  private final Optional<S3Proxy> own;
  private final HttpClient client = HttpClient.newHttpClient();

  private S3Server(URI endpoint, Optional<S3Proxy> own) {
    this.endpoint = endpoint;
    this.bucket =
        "shop-%d-%d-%d"
            .formatted(
                endpoint.getPort(), ProcessHandle.current().pid(), BUCKETS.incrementAndGet());
    this.own = own;
  }

  public static S3Server start() throws Exception {
    return start(Software.S3PROXY);
  }

  public static S3Server start(Software software) throws Exception {
    S3Server started =
        switch (software) {
          case S3PROXY -> s3proxy();
          case S3MOCK -> new S3Server(S3MockProcess.endpoint(), Optional.empty());
        };
    started.send("PUT", "/" + started.bucket());
    return started;
  }

  private static S3Server s3proxy() throws Exception {
    BlobStoreContext objects =
        ContextBuilder.newBuilder("transient")
            .credentials("key", "secret")
            .build(BlobStoreContext.class);
    S3Proxy proxy =
        S3Proxy.builder()
            .blobStore(objects.getBlobStore())
            .endpoint(URI.create("http://127.0.0.1:0"))
            .build();
    proxy.start();
    return new S3Server(URI.create("http://127.0.0.1:" + proxy.getPort()), Optional.of(proxy));
  }

  public URI endpoint() {
    return endpoint;
  }

  public String bucket() {
    return bucket;
  }

  /** The URI of a key, for Hadoop. */
  public String uri(String key) {
    return "s3a://" + bucket() + "/" + key;
  }

  /** Stores the bytes of an object of the bucket. */
  public void put(String key, byte[] bytes) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(endpoint().resolve("/" + bucket() + "/" + key))
            .PUT(HttpRequest.BodyPublishers.ofByteArray(bytes))
            .build();
    client.send(request, HttpResponse.BodyHandlers.discarding());
  }

  /** Removes an object of the bucket. */
  public void delete(String key) throws Exception {
    send("DELETE", "/" + bucket() + "/" + key);
  }

  /** The bytes of an object of the bucket. */
  public byte[] object(String key) throws Exception {
    return send("GET", "/" + bucket() + "/" + key).body();
  }

  /** The keys of all objects of the bucket that begin so, up to a thousand. */
  public List<String> keys(String prefix) throws Exception {
    String query = "?list-type=2&prefix=" + URLEncoder.encode(prefix, UTF_8);
    String listing = new String(send("GET", "/" + bucket() + query).body(), UTF_8);
    return Pattern.compile("<Key>([^<]*)</Key>")
        .matcher(listing)
        .results()
        .map(match -> match.group(1))
        .toList();
  }

  /** Whether the bucket has an object of this key. */
  public boolean has(String key) throws Exception {
    return send("HEAD", "/" + bucket() + "/" + key).statusCode() == 200;
  }

  public String contentType(String key) throws Exception {
    return send("HEAD", "/" + bucket() + "/" + key).headers().firstValue("content-type").orElse("");
  }

  /** Begins a multipart upload that nobody completes. */
  public void beginUpload(String key) throws Exception {
    send("POST", "/" + bucket() + "/" + key + "?uploads");
  }

  /** The names of the multipart uploads that nobody has completed, as the service lists them. */
  public String pendingUploads() throws Exception {
    return new String(send("GET", "/" + bucket() + "?uploads").body(), UTF_8);
  }

  /** The settings of S3A for the bucket, without the {@code spark.hadoop.} before their names. */
  public Map<String, String> settings() {
    return settings(endpoint());
  }

  /** The same by way of another endpoint. */
  public Map<String, String> settings(URI endpoint) {
    Map<String, String> settings = new TreeMap<>();
    settings.put("endpoint", endpoint.toString());
    settings.put("endpoint.region", "us-east-1");
    settings.put("path.style.access", "true");
    settings.put("connection.ssl.enabled", "false");
    settings.put("access.key", "key");
    settings.put("secret.key", "secret");
    settings.put(
        "aws.credentials.provider", "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider");
    settings.put("fast.upload.buffer", "array");
    settings.put("retry.interval", "5ms");
    settings.put("retry.throttle.interval", "5ms");
    Map<String, String> ofTheBucket = new TreeMap<>();
    settings.forEach(
        (name, value) -> ofTheBucket.put("fs.s3a.bucket." + bucket() + "." + name, value));
    ofTheBucket.put(StoreRetry.LONGEST_OUTAGE, "10s");
    return ofTheBucket;
  }

  /** A configuration of its own, and with it file systems of its own. */
  public Configuration configuration(URI endpoint) {
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
      if (own.isPresent()) {
        own.get().stop();
      }
    } catch (Exception e) { // declared without a kind
      throw new IllegalStateException("S3 on loopback does not stop", e);
    }
  }
}
