package io.lightmill.pipeline.hosted;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Locations of hosted models, their limits, and their credentials. */
class HostedEndpointTest {

  private static final String FOUNDRY =
      "foundry:https://a.services.ai.azure.com/mai/v1/images/generations#MAI-Image-2e";

  @Test
  void aLocationIsReadAndWrittenBack() {
    HostedEndpoint endpoint = HostedEndpoint.parse(FOUNDRY);
    assertThat(endpoint.protocol()).isEqualTo(HostedProtocol.FOUNDRY);
    assertThat(endpoint.url())
        .hasToString("https://a.services.ai.azure.com/mai/v1/images/generations");
    assertThat(endpoint.model()).isEqualTo("MAI-Image-2e");
    assertThat(endpoint.location()).isEqualTo(FOUNDRY);
    assertThat(HostedEndpoint.isHosted("s3a://bucket/FLUX.1-dev")).isFalse();
    assertThat(
            HostedEndpoint.parse("openai:http://localhost:8080/v1/images/generations#a/b").model())
        .isEqualTo("a/b");
    assertThat(
            HostedEndpoint.parse("openai:https://h/v1?api-version=2025-04-01#m").url().getQuery())
        .isEqualTo("api-version=2025-04-01");
  }

  @ParameterizedTest
  @CsvSource({
    "foundry:https://h/mai/v1/images/generations, names no model",
    "foundry:https://h/x#, names no model",
    "openai:ftp://h/x#m, is not an https URL",
    "openai:h/x#m, is not an https URL",
    "openai:http://h.example/x#m, in clear text",
    "openai:https://user:s3cret@h/x#m, contains a credential",
    "openai:https://h/x?api-key=s3cret#m, contains a credential",
    "openai:https://h/x?subscription-key=s3cret#m, contains a credential",
    "'openai:https://h/s3cret x#m', is not a URL",
  })
  void aLocationIsRefusedWithoutRepeatingIt(String location, String reason) {
    assertThatThrownBy(() -> HostedEndpoint.parse(location))
        .isInstanceOfSatisfying(
            LightmillException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.CONFIGURATION_INVALID))
        .hasMessageContaining(reason)
        .hasMessageNotContaining("s3cret");
  }

  @ParameterizedTest
  @CsvSource({
    "foundry:https://h/x#m, 768, 768, true",
    "foundry:https://h/x#m, 1024, 1024, true",
    "foundry:https://h/x#m, 1365, 768, true",
    "foundry:https://h/x#m, 767, 1024, false",
    "openai:https://h/x#gpt-image-1, 1536, 1024, true",
    "openai:https://h/x#gpt-image-1, 768, 768, false",
    "openai:https://h/x#dall-e-3, 1792, 1024, true",
    "openai:https://h/x#dall-e-2, 1024, 1024, true",
    "openai:https://h/x#own, 640, 480, true",
  })
  void sizesAreThoseOfTheModel(String location, int width, int height, boolean accepted) {
    assertThat(HostedEndpoint.parse(location).limits().sizes().error(width, height).isEmpty())
        .isEqualTo(accepted);
    assertThat(HostedEndpoint.parse(FOUNDRY).limits().maxPixels()).isEqualTo(1_048_576);
  }

  @Test
  void aSecretIsReadFromAFileThatOnlyItsOwnerReads(@TempDir Path directory) throws IOException {
    Path file = Files.writeString(directory.resolve("key"), "s3cret\n");
    NamedCredential credential =
        new NamedCredential(CredentialHeader.API_KEY, null, file.toString());
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    assertThat(credential.secret()).isEqualTo("s3cret");
    Files.writeString(file, "renewed"); // tokens of Entra ID last an hour
    assertThat(credential.secret()).isEqualTo("renewed");
    assertThat(credential.toString()).doesNotContain("renewed");
    Files.writeString(file, "two lines\r\nX-Header: 1");
    assertThatThrownBy(credential::secret)
        .hasMessageContaining("no usable secret")
        .hasMessageNotContaining("X-Header");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
    assertThatThrownBy(credential::secret).hasMessageContaining("chmod 600");
    Files.delete(file);
    assertThatThrownBy(credential::secret).hasMessageContaining("cannot be read here");
  }

  @Test
  void aVariableThatIsNotSetIsNamed() {
    assertThatThrownBy(
            () -> new NamedCredential(CredentialHeader.BEARER, "LIGHTMILL_NO_SUCH", null).secret())
        .hasMessageContaining("environment variable LIGHTMILL_NO_SUCH is not set");
  }

  @Test
  void pricesAreOfTokensElseOfImages() {
    HostedEndpoint foundry = HostedEndpoint.parse(FOUNDRY);
    TokenPrices.RequestSize size = TokenPrices.RequestSize.of(1024, 1024, "a red mug on a table");
    TokenPrices tokens = new TokenPrices(5.0, 19.5, null, null);
    assertThat(tokens.expected(foundry, size).getAsDouble())
        .isEqualTo((5 * 5.0 + 1024 * 19.5) / 1e6);
    assertThat(tokens.most(foundry, size)).isEqualTo((20 * 5.0 + 1024 * 19.5) / 1e6);
    assertThat(tokens.cost(foundry, size, new TokenPrices.Usage(7, 1000)).getAsDouble())
        .isEqualTo((7 * 5.0 + 1000 * 19.5) / 1e6);
    TokenPrices images = new TokenPrices(null, null, 0.04, null);
    assertThat(images.cost(foundry, size, new TokenPrices.Usage(7, 1000))).hasValue(0.04);
    assertThat(new TokenPrices(null, 40.0, null, 1056L).most(foundry, size))
        .isEqualTo(1056 * 40.0 / 1e6);
    assertThat(TokenPrices.NONE.expected(foundry, size)).isEmpty();
    assertThat(TokenPrices.NONE.most(foundry, size)).isZero();
  }
}
