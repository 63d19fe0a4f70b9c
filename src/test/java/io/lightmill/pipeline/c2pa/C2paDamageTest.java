package io.lightmill.pipeline.c2pa;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.image.ImageEncoder;
import io.lightmill.pipeline.image.ManifestEmbedding;
import io.lightmill.pipeline.image.Pictures;
import java.time.Instant;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** What is damaged in a manifest is a finding of the report. */
class C2paDamageTest {

  @Test
  void aSubjectThatIsNotUtf8() {
    byte[] seed = new C2paFuzz().seeds().get(0);
    byte[] store = Arrays.copyOfRange(seed, 1, seed.length);
    store[new String(store, ISO_8859_1).indexOf("Signer")] = (byte) 0xff;
    byte[] file = ManifestEmbedding.insert(ImageEncoder.png(Pictures.noise(8, 8)), store);

    C2paReport report =
        new C2paVerifier(TrustAnchors.NONE, Instant.now()).verify(file).orElseThrow();

    assertThat(report.valid()).isFalse();
    assertThat(report.findings())
        .extracting(C2paFinding::explanation)
        .contains("the manifest is malformed: the subject of a certificate in it is damaged");
  }
}
