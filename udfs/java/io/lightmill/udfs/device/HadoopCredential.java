package io.lightmill.udfs.device;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.hosted.CredentialHeader;
import io.lightmill.pipeline.hosted.HostedCredential;
import io.lightmill.pipeline.hosted.NamedCredential;
import io.lightmill.udfs.store.SharedConfiguration;
import java.io.IOException;

/**
 * A secret in a Hadoop credential provider ({@code hadoop.security.credential.provider.path}).
 *
 * @param alias of the secret
 */
public record HadoopCredential(CredentialHeader header, String alias, SharedConfiguration hadoop)
    implements HostedCredential {

  @Override
  public String secret() {
    try {
      char[] found = hadoop.value().getPassword(alias);
      if (found == null) {
        throw new LightmillException(
            ErrorCode.CONFIGURATION_INVALID,
            "no Hadoop credential provider has the alias '%s'; create it (hadoop credential create %s), and set spark.hadoop.hadoop.security.credential.provider.path"
                .formatted(alias, alias));
      }
      return NamedCredential.checked(new String(found), "the credential '" + alias + "'");
    } catch (IOException e) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "the Hadoop credential provider cannot be read for the alias '%s' (%s); check spark.hadoop.hadoop.security.credential.provider.path"
              .formatted(alias, e),
          e);
    }
  }

  @Override
  public String toString() {
    return "alias " + alias;
  }
}
