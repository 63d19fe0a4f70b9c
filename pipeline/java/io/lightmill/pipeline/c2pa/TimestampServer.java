package io.lightmill.pipeline.c2pa;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import org.apache.commons.codec.digest.DigestUtils;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.tsp.TSPException;
import org.bouncycastle.tsp.TimeStampRequest;
import org.bouncycastle.tsp.TimeStampRequestGenerator;
import org.bouncycastle.tsp.TimeStampResponse;

/** A time stamp server (RFC 3161 over HTTP). */
public final class TimestampServer {

  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final int TRIES = 3;
  private static final int OK = 200;
  private static final int MAX_RESPONSE = 1 << 20;

  private final URI location;
  private final HttpClient client;

  public TimestampServer(URI location) {
    this.location = location;
    this.client = HttpClient.newBuilder().connectTimeout(PATIENCE).build();
  }

  /**
   * A time stamp token with the server's certificates.
   *
   * @throws LightmillException with {@code STORE_FAILED} if the server gives none in three tries
   */
  byte[] token(byte[] data) {
    TimeStampRequestGenerator generator = new TimeStampRequestGenerator();
    generator.setCertReq(true);
    try {
      TimeStampRequest request =
          generator.generate(NISTObjectIdentifiers.id_sha256, DigestUtils.sha256(data));
      byte[] token = response(request).getTimeStampToken().getEncoded();
      if (!CoseSign1.fits(token)) {
        throw failure(
            "it sent a token of %d bytes, and there is no room for it".formatted(token.length));
      }
      return token;
    } catch (IOException | TSPException e) {
      throw failure("it sent no time stamp (%s)".formatted(e.getMessage()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw failure("the task was interrupted while it waited");
    }
  }

  private TimeStampResponse response(TimeStampRequest request)
      throws IOException, TSPException, InterruptedException {
    HttpRequest post =
        HttpRequest.newBuilder(location)
            .timeout(PATIENCE)
            .header("Content-Type", "application/timestamp-query")
            .POST(HttpRequest.BodyPublishers.ofByteArray(request.getEncoded()))
            .build();
    IOException failure = new IOException("no response");
    for (int i = 0; i < TRIES; i++) {
      try {
        HttpResponse<byte[]> answer = client.send(post, HttpResponse.BodyHandlers.ofByteArray());
        if (answer.statusCode() != OK || answer.body().length > MAX_RESPONSE) {
          throw new IOException("HTTP status " + answer.statusCode());
        }
        TimeStampResponse response = new TimeStampResponse(answer.body());
        response.validate(request);
        if (response.getTimeStampToken() == null) {
          throw new IOException("refused: " + response.getStatusString());
        }
        return response;
      } catch (IOException e) {
        failure = e;
      }
    }
    throw failure;
  }

  private LightmillException failure(String what) {
    return new LightmillException(
        ErrorCode.STORE_FAILED,
        "time stamp server '%s': %s; run again, or remove 'c2pa-timestamp'"
            .formatted(withoutUser(), what));
  }

  private String withoutUser() {
    return location.getScheme() + "://" + location.getHost() + location.getPath();
  }
}
