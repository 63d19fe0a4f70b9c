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
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.gaul.s3proxy.S3Proxy;
import org.jclouds.ContextBuilder;
import org.jclouds.blobstore.BlobStore;
import org.jclouds.blobstore.BlobStoreContext;

/**
 * A bucket of a real S3 service on loopback. Its name is its own, so that neither objects nor
 * settings of several tests meet.
 */
public final class S3Server implements AutoCloseable {

  /** Who wrote the service: what holds on one alone may be its habit, and not S3's. */
  public enum Software {
    /** In this JVM and its memory. */
    S3PROXY,
    /** In a process of its own, one for all JVMs. */
    S3MOCK
  }

  /** The service in this JVM, which runs until it ends. */
  private static final class InMemory {

    static final BlobStore OBJECTS =
        ContextBuilder.newBuilder("transient")
            .credentials("key", "secret")
            .build(BlobStoreContext.class)
            .getBlobStore();
    static final URI ENDPOINT = started();

    private static URI started() {
      S3Proxy proxy =
          S3Proxy.builder().blobStore(OBJECTS).endpoint(URI.create("http://127.0.0.1:0")).build();
      try {
        proxy.start();
      } catch (Exception e) { // declared without a kind
        throw new IllegalStateException("S3 on loopback does not start", e);
      }
      return URI.create("http://127.0.0.1:" + proxy.getPort());
    }
  }

  private static final AtomicInteger BUCKETS = new AtomicInteger();

  private static final HttpClient CLIENT = HttpClient.newHttpClient();

  private final Software software;
  private final URI endpoint;
  private final String bucket;

  private S3Server(Software software, URI endpoint) {
    this.software = software;
    this.endpoint = endpoint;
    this.bucket =
        "shop-%d-%d-%d"
            .formatted(
                endpoint.getPort(), ProcessHandle.current().pid(), BUCKETS.incrementAndGet());
  }

  public static S3Server start() throws Exception {
    return start(Software.S3PROXY);
  }

  public static S3Server start(Software software) throws Exception {
    S3Server started =
        switch (software) {
          case S3PROXY -> new S3Server(software, InMemory.ENDPOINT);
          case S3MOCK -> new S3Server(software, S3MockProcess.endpoint());
        };
    started.send("PUT", "/" + started.bucket());
    return started;
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
    CLIENT.send(request, HttpResponse.BodyHandlers.discarding());
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
    return CLIENT.send(
        HttpRequest.newBuilder(endpoint().resolve(path))
            .method(method, HttpRequest.BodyPublishers.noBody())
            .build(),
        HttpResponse.BodyHandlers.ofByteArray());
  }

  /** Frees the memory of its objects. */
  @Override
  public void close() {
    if (software == Software.S3PROXY) {
      InMemory.OBJECTS.deleteContainer(bucket);
    }
  }
}
