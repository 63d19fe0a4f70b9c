package io.lightmill.pipeline.hosted;

import java.io.Serializable;

/**
 * Where a process finds the secret of an endpoint: it says the place and never has the secret, so
 * that it may travel with tasks and be printed. The secret is read for each request, so that a
 * token may be replaced while a run lasts.
 */
public interface HostedCredential extends Serializable {

  /** The header that carries the secret. */
  CredentialHeader header();

  /**
   * Reads the secret.
   *
   * @throws io.lightmill.pipeline.LightmillException with {@code CONFIGURATION_INVALID}, and
   *     without the secret in its message, if it is missing or unusable
   */
  String secret();
}
