package io.lightmill.pipeline.hosted;

import io.lightmill.pipeline.ImageResult;
import io.lightmill.pipeline.RgbImage;
import java.time.Duration;
import java.util.List;

/** A program that requests images of a hosted model. */
final class HostedCall {

  private HostedCall() {}

  /** The secret of the stub. */
  private record Key(CredentialHeader header) implements HostedCredential {

    @Override
    public String secret() {
      return StubEndpoint.KEY;
    }
  }

  /** Requests one image for each proxy, and prints its size. */
  public static void main(String[] locationAndProxies) {
    for (int i = 1; i < locationAndProxies.length; i++) {
      String proxy = locationAndProxies[i];
      RgbImage image = result(locationAndProxies[0], proxy.isEmpty() ? null : proxy).orElseThrow();
      System.out.printf("got %dx%d%n", image.width(), image.height());
    }
  }

  /**
   * Requests an image.
   *
   * @param proxy null for none
   */
  static ImageResult result(String location, String proxy) {
    HostedEndpoint endpoint = HostedEndpoint.parse(location);
    HostedSettings settings =
        new HostedSettings(
            null,
            Duration.ofSeconds(30),
            Duration.ofSeconds(30),
            3,
            Duration.ofSeconds(30),
            Duration.ofMillis(1),
            proxy,
            true,
            TokenPrices.NONE);
    try (HostedPipeline pipeline =
        new HostedPipeline(
            endpoint,
            settings,
            new Key(endpoint.protocol().header()),
            RequestAllowance.UNLIMITED)) {
      return pipeline
          .results(List.of(pipeline.request("a red mug").width(768).height(768).build()))
          .get(0);
    }
  }
}
