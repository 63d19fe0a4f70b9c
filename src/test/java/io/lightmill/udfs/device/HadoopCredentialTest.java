package io.lightmill.udfs.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.hosted.CredentialHeader;
import io.lightmill.udfs.store.SharedConfiguration;
import java.io.IOException;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.security.alias.CredentialProvider;
import org.apache.hadoop.security.alias.CredentialProviderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HadoopCredentialTest {

  @Test
  void aSecretIsReadFromACredentialProvider(@TempDir Path directory) throws IOException {
    Configuration hadoop = new Configuration(false);
    hadoop.set(
        CredentialProviderFactory.CREDENTIAL_PROVIDER_PATH,
        "localjceks://file" + directory.resolve("keys.jceks"));
    CredentialProvider provider = CredentialProviderFactory.getProviders(hadoop).get(0);
    provider.createCredentialEntry("image.key", "s3cret".toCharArray());
    provider.flush();

    HadoopCredential credential = credential("image.key", hadoop);
    assertThat(credential.secret()).isEqualTo("s3cret");
    assertThat(credential.toString()).isEqualTo("alias image.key");
    assertThatThrownBy(() -> credential("other", hadoop).secret())
        .hasMessageContaining("no Hadoop credential provider has the alias 'other'");
  }

  private static HadoopCredential credential(String alias, Configuration hadoop) {
    return new HadoopCredential(CredentialHeader.BEARER, alias, new SharedConfiguration(hadoop));
  }
}
