package io.lightmill.pipeline.hosted;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.ImageSizes;
import io.lightmill.pipeline.LightmillException;
import java.net.InetSocketAddress;
import java.net.ProxySelector;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;
import org.apache.commons.lang3.exception.ExceptionUtils;

/**
 * Sends requests to one endpoint. A request is sent once: neither Java's client (a POST is not
 * repeated) nor this class sends it again, and redirections are not followed.
 */
final class HostedClient {

  /** A PNG of 1024×1024 noise has 3 MiB, and 4 MiB in Base64. */
  private static final int MOST_ANSWER_BYTES = 64 * 1024 * 1024;

  private static final JsonMapper JSON = new JsonMapper();

  private final HostedEndpoint endpoint;
  private final HostedSettings settings;
  private final HostedCredential credential;
  private final AnswerReader reader;
  private final HttpClient http;

  HostedClient(HostedEndpoint endpoint, HostedSettings settings, HostedCredential credential) {
    this.endpoint = endpoint;
    this.settings = settings;
    this.credential = credential;
    this.reader = new AnswerReader(endpoint, settings.prices());
    HttpClient.Builder builder =
        HttpClient.newBuilder()
            .connectTimeout(settings.connectTimeout())
            .followRedirects(HttpClient.Redirect.NEVER)
            .version(
                settings.http2() && endpoint.url().getScheme().equalsIgnoreCase("https")
                    ? HttpClient.Version.HTTP_2
                    : HttpClient.Version.HTTP_1_1);
    proxy(settings)
        .or(() -> Optional.ofNullable(ProxySelector.getDefault()))
        .ifPresent(builder::proxy);
    this.http = builder.build();
  }

  private static Optional<ProxySelector> proxy(HostedSettings settings) {
    return Optional.ofNullable(settings.proxy())
        .map(
            proxy -> {
              int colon = proxy.lastIndexOf(':');
              return ProxySelector.of(
                  new InetSocketAddress(
                      proxy.substring(0, colon), Integer.parseInt(proxy.substring(colon + 1))));
            });
  }

  /**
   * Sends one request and waits for its end.
   *
   * @param sent called when it is sent
   * @throws LightmillException with {@code CONFIGURATION_INVALID} if the certificate of the
   *     endpoint is not trusted, or the credential is missing
   * @throws CancellationException if the thread is interrupted; its interrupt status stays set
   */
  HostedAnswer send(ImageRequest request, Runnable sent) {
    String secret = credential.secret();
    SentBody body = new SentBody(body(request).getBytes(StandardCharsets.UTF_8), sent);
    HttpRequest post =
        HttpRequest.newBuilder(endpoint.url())
            .header("Content-Type", "application/json")
            .header("Accept", "application/json")
            .header("User-Agent", "lightmill")
            .header(credential.header().header(), credential.header().value(secret))
            .POST(body)
            .build();
    CompletableFuture<HttpResponse<byte[]>> answer =
        http.sendAsync(post, status -> new BoundedBody(MOST_ANSWER_BYTES));
    try {
      HttpResponse<byte[]> response =
          answer.get(settings.requestTimeout().toMillis(), TimeUnit.MILLISECONDS);
      return reader.read(
          request, response.statusCode(), response.headers(), response.body(), secret);
    } catch (InterruptedException e) {
      answer.cancel(true);
      Thread.currentThread().interrupt();
      throw new CancellationException("interrupted while a request waits for its answer");
    } catch (TimeoutException e) {
      answer.cancel(true);
      return unanswered(
          body, "no answer within %s".formatted(text(settings.requestTimeout().toMillis())));
    } catch (ExecutionException e) {
      requireTrust(e);
      return unanswered(body, String.valueOf(e.getCause()).replace(secret, "***"));
    }
  }

  /** A certificate that is not trusted now is not trusted by a later attempt either. */
  private void requireTrust(ExecutionException failure) {
    if (ExceptionUtils.indexOfType(failure, SSLException.class) >= 0
        && ExceptionUtils.indexOfType(failure, GeneralSecurityException.class) >= 0) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "the certificate of %s is not trusted here: %s; give driver and executors a trust store that has its authority (-Djavax.net.ssl.trustStore=FILE in spark.driver.extraJavaOptions and spark.executor.extraJavaOptions), or correct the URL"
              .formatted(
                  endpoint.url().getAuthority(), ExceptionUtils.getRootCause(failure).getMessage()),
          failure);
    }
  }

  private static HostedAnswer unanswered(SentBody body, String reason) {
    return body.begun()
        ? new HostedAnswer.Lost(reason)
        : new HostedAnswer.TryAgain(Optional.empty(), reason);
  }

  private static String text(long millis) {
    return String.format(Locale.ROOT, "%.1f s", millis / 1000.0);
  }

  /** The JSON of a request, with the fields that the endpoint has and no others. */
  String body(ImageRequest request) {
    ObjectNode body =
        JSON.createObjectNode().put("model", endpoint.model()).put("prompt", request.prompt());
    if (endpoint.protocol() == HostedProtocol.FOUNDRY) {
      body.put("width", request.width()).put("height", request.height());
    } else {
      body.put("n", 1).put("size", ImageSizes.text(request.width(), request.height()));
      settings.sentQuality().ifPresent(quality -> body.put("quality", quality));
      if (!endpoint.model().toLowerCase(Locale.ROOT).startsWith("gpt-image")) {
        body.put("response_format", "b64_json"); // gpt-image has no such field, and no other answer
      }
    }
    return body.toString();
  }
}
