package io.lightmill.pipeline.hosted;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageResult;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.c2pa.Authority;
import java.io.IOException;
import java.io.OutputStream;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.concurrent.TimeUnit;
import javax.net.ServerSocketFactory;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An endpoint with TLS, whose certificate is of an authority of its own. */
class HostedTlsTest {

  private static final String NO_PROXY = "";

  @TempDir Path directory;

  private final Authority authority = new Authority();
  private StubEndpoint endpoint;

  @BeforeEach
  void start() throws IOException, GeneralSecurityException {
    endpoint = new StubEndpoint(tls());
  }

  @AfterEach
  void stop() throws IOException {
    endpoint.close();
  }

  private ServerSocketFactory tls() throws GeneralSecurityException {
    KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keys.init(authority.server(), Authority.PASSWORD.toCharArray());
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), null, null);
    return context.getServerSocketFactory();
  }

  private String location(String host) {
    return "foundry:https://%s:%d/mai/v1/images/generations#MAI-Image-2e"
        .formatted(host, endpoint.port());
  }

  /** A JVM with the trust store sends one request directly and one through a proxy. */
  @Test
  void aTrustStoreOfTheJvmIsUsedDirectlyAndThroughAProxy() throws Exception {
    Path trusted = directory.resolve("trust.p12");
    KeyStore store = authority.trust();
    try (OutputStream out = Files.newOutputStream(trusted)) {
      store.store(out, Authority.PASSWORD.toCharArray());
    }
    Path output = directory.resolve("output");
    try (TunnelProxy proxy = new TunnelProxy()) {
      Process jvm =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-Xmx256m",
                  "-XX:TieredStopAtLevel=1",
                  "-XX:+UseSerialGC",
                  "-Djavax.net.ssl.trustStore=" + trusted,
                  "-Djavax.net.ssl.trustStorePassword=" + Authority.PASSWORD,
                  "-cp",
                  System.getProperty("java.class.path"),
                  HostedCall.class.getName(),
                  location("localhost"),
                  NO_PROXY,
                  proxy.address())
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
      try {
        assertThat(jvm.waitFor(1, TimeUnit.MINUTES)).isTrue();
        assertThat(Files.readString(output, UTF_8).lines().filter(line -> line.startsWith("got")))
            .as(Files.readString(output, UTF_8))
            .containsExactly("got 768x768", "got 768x768");
      } finally {
        jvm.destroyForcibly();
      }
      assertThat(proxy.targets).containsExactly("localhost:" + endpoint.port());
      assertThat(endpoint.requests).hasSize(2);
    }
  }

  /** No attempt is repeated, and no request is sent. */
  @Test
  void aCertificateThatIsNotTrustedEndsTheRequest() {
    ImageResult result = HostedCall.result(location("localhost"), null);

    LightmillException failure = result.failure().orElseThrow();
    assertThat(failure.code()).isEqualTo(ErrorCode.CONFIGURATION_INVALID);
    assertThat(failure)
        .hasMessageContainingAll(
            "the certificate of localhost:" + endpoint.port() + " is not trusted here",
            "-Djavax.net.ssl.trustStore=FILE");
    assertThat(endpoint.requests).isEmpty();
  }

  @Test
  void aProxyThatIsAwayIsTriedAgain() throws IOException {
    int closed;
    try (ServerSocket socket = new ServerSocket(0)) {
      closed = socket.getLocalPort();
    }

    ImageResult result = HostedCall.result(location("localhost"), "127.0.0.1:" + closed);

    assertThat(result.failure().orElseThrow().code()).isEqualTo(ErrorCode.PROVIDER_FAILED);
    assertThat(endpoint.requests).isEmpty();
  }
}
