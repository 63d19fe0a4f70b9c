package io.lightmill.pipeline.hosted;

import org.apache.commons.codec.digest.DigestUtils;

/**
 * What identifies a hosted model. The provider may change the model behind a name, which nobody
 * else can see.
 */
public final class HostedIdentity {

  private HostedIdentity() {}

  /** SHA-256 over protocol, URL, model and quality, in hex. */
  public static String digest(HostedEndpoint endpoint, HostedSettings settings) {
    return DigestUtils.sha256Hex(
        String.join("\n", "hosted", endpoint.location(), settings.sentQuality().orElse("")));
  }
}
