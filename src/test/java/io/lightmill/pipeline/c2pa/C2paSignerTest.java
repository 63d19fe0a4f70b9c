package io.lightmill.pipeline.c2pa;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.image.FileFormat;
import io.lightmill.pipeline.image.ImageDecoder;
import io.lightmill.pipeline.image.ImageEncoder;
import io.lightmill.pipeline.image.ImageFormat;
import io.lightmill.pipeline.image.ImageLabels;
import io.lightmill.pipeline.image.ImageReceiptReader;
import io.lightmill.pipeline.image.ManifestEmbedding;
import io.lightmill.pipeline.image.Pictures;
import io.lightmill.pipeline.image.Receipts;
import java.net.URI;
import java.security.KeyPair;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.apache.commons.lang3.ArrayUtils;
import org.bouncycastle.cert.X509CertificateHolder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class C2paSignerTest {

  private static final Authority AUTHORITY = new Authority();
  private static final KeyPair KEYS = Authority.keys("secp256r1");

  @SuppressWarnings("TimeInStaticInitializer") // the time of these tests
  private static final Instant NOW = Instant.now();

  private static final C2paClaim CLAIM =
      new C2paClaim("Lightmill", "pocket", Optional.of(Instant.parse("2026-11-26T09:00:00Z")));

  private static C2paSigner signer(X509CertificateHolder... more) {
    List<Object> chain = new ArrayList<>(List.of(AUTHORITY.signer(KEYS)));
    chain.addAll(List.of(more));
    return new C2paSigner(
        SigningCredential.read(
            Authority.pem("chain.pem", chain.toArray()),
            Authority.pem("key.pem", KEYS.getPrivate()),
            NOW),
        Optional.empty());
  }

  private static byte[] file(ImageFormat format, String prompt) {
    return ImageEncoder.encode(
        Pictures.noise(40, 30), Receipts.of(prompt), ImageLabels.NONE, FileFormat.of(format));
  }

  private static C2paReport report(byte[] file) {
    TrustAnchors roots = TrustAnchors.read(Authority.pem("roots.pem", AUTHORITY.root()));
    return new C2paVerifier(roots, NOW).verify(file).orElseThrow();
  }

  private static List<String> codes(byte[] file) {
    return report(file).findings().stream().map(C2paFinding::code).toList();
  }

  @ParameterizedTest
  @EnumSource(ImageFormat.class)
  void aSignedFileIsTrustedAndStillThatImage(ImageFormat format) {
    byte[] file = file(format, "a mug");
    byte[] signed = signer(AUTHORITY.root()).sign(file, CLAIM);
    C2paReport report = report(signed);

    assertThat(report.findings())
        .extracting(C2paFinding::code)
        .containsExactly(
            "claimSignature.validated",
            "claimSignature.insideValidity",
            "signingCredential.trusted",
            "assertion.hashedURI.match",
            "assertion.hashedURI.match",
            "assertion.dataHash.match");
    assertThat(report.trusted()).isTrue();
    assertThat(report.actions()).containsExactly("c2pa.created (trainedAlgorithmicMedia)");
    assertThat(report.generator()).contains("Lightmill");
    assertThat(report.signer()).contains("O=Test,CN=Signer");
    assertThat(ImageReceiptReader.identity(signed)).isEqualTo(ImageReceiptReader.identity(file));
    assertThat(ImageDecoder.decode(signed).orElseThrow().getWidth()).isEqualTo(40);
  }

  @ParameterizedTest
  @EnumSource(ImageFormat.class)
  void everyAlteredByteOfTheImageIsFound(ImageFormat format) {
    byte[] signed = signer().sign(file(format, "a mug"), CLAIM);
    ManifestEmbedding place = ManifestEmbedding.find(signed).orElseThrow();

    for (int i = 0; i < signed.length; i += 7) {
      if (i < place.start() || i >= place.start() + place.length()) {
        requireFound(signed, i);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(ImageFormat.class)
  void everyAlteredByteOfAssertionsClaimAndSignatureIsFound(ImageFormat format) {
    byte[] signed = signer().sign(file(format, "a mug"), CLAIM);
    byte[] store = ManifestEmbedding.find(signed).orElseThrow().store();
    Jumbf manifest = Jumbf.read(store).superboxes().get(0);
    CoseSign1 signature = CoseSign1.read(manifest.only(Jumbf.SIGNATURE).content());

    for (byte[] covered :
        List.of(
            manifest.only(Jumbf.ASSERTIONS).superboxes().get(0).hashed(),
            manifest.only(Jumbf.ASSERTIONS).superboxes().get(1).hashed(),
            manifest.only(Jumbf.CLAIM).content(),
            signature.protectedHeader(),
            signature.signature())) {
      int start = Collections.indexOfSubList(boxed(signed), boxed(covered));
      for (int i = start; i < start + covered.length; i++) {
        requireFound(signed, i);
      }
    }
  }

  private static void requireFound(byte[] signed, int place) {
    byte[] altered = signed.clone();
    altered[place] ^= 1;
    Optional<C2paReport> report = new C2paVerifier(TrustAnchors.NONE, NOW).verify(altered);
    assertThat(report.map(C2paReport::valid)).as("byte %d", place).isNotEqualTo(Optional.of(true));
  }

  private static List<Byte> boxed(byte[] bytes) {
    return List.of(ArrayUtils.toObject(bytes));
  }

  @Test
  void theSameFileIsSignedWithTheSameBytes() {
    byte[] file = file(ImageFormat.PNG, "a mug");
    C2paSigner signer = signer();

    assertThat(signer.sign(file, CLAIM)).isEqualTo(signer.sign(file, CLAIM));
    assertThat(report(signer.sign(file(ImageFormat.PNG, "a cup"), CLAIM)).manifest())
        .isNotEqualTo(report(signer.sign(file, CLAIM)).manifest());
  }

  @Test
  void withoutItsRootASignerIsValidAndNotTrusted() {
    byte[] signed = signer().sign(file(ImageFormat.JPEG, "a mug"), CLAIM);
    C2paReport report = new C2paVerifier(TrustAnchors.NONE, NOW).verify(signed).orElseThrow();

    assertThat(report.valid()).isTrue();
    assertThat(report.trusted()).isFalse();
    TrustAnchors others = TrustAnchors.read(Authority.pem("roots.pem", new Authority().root()));
    assertThat(new C2paVerifier(others, NOW).verify(signed).orElseThrow().trusted()).isFalse();
  }

  @Test
  void manifestsOfManySegmentsAreReadBack() {
    byte[] store =
        Jumbf.superbox("c2pa", "c2pa", Jumbf.cbor("cbor", "x", Cbor.bytes(new byte[150_000])));
    byte[] file = file(ImageFormat.JPEG, "a mug");
    byte[] embedded = ManifestEmbedding.insert(file, store);
    ManifestEmbedding found = ManifestEmbedding.find(embedded).orElseThrow();

    assertThat(found.store()).isEqualTo(store);
    assertThat(new ManifestEmbedding.Place(found.start(), found.length()))
        .isEqualTo(ManifestEmbedding.place(file, store.length));
    assertThat(ManifestEmbedding.removed(embedded)).isEqualTo(file);
    assertThat(ImageDecoder.decode(embedded)).isPresent();
  }

  @Test
  void aTimeStampGivesTheTimeOfTheSignature() {
    Instant time = NOW.minus(2, ChronoUnit.HOURS).truncatedTo(ChronoUnit.SECONDS);
    try (TimestampAuthority stamps = new TimestampAuthority(AUTHORITY, time)) {
      SigningCredential credential =
          SigningCredential.read(
              Authority.pem("chain.pem", AUTHORITY.signer(KEYS)),
              Authority.pem("key.pem", KEYS.getPrivate()),
              NOW);
      C2paSigner signer =
          new C2paSigner(credential, Optional.of(new TimestampServer(stamps.location())));
      for (ImageFormat format : ImageFormat.values()) {
        byte[] signed = signer.sign(file(format, "a mug"), CLAIM);

        assertThat(codes(signed)).contains("timeStamp.validated", "assertion.dataHash.match");
        assertThat(report(signed).signedAt()).contains(time);
        assertThat(report(signed).trusted()).isTrue();
      }
    }
  }

  @Test
  void aTimeStampServerThatIsAwayFailsTheImage() {
    TimestampServer away = new TimestampServer(URI.create("http://127.0.0.1:1/tsa"));
    SigningCredential credential =
        SigningCredential.read(
            Authority.pem("chain.pem", AUTHORITY.signer(KEYS)),
            Authority.pem("key.pem", KEYS.getPrivate()),
            NOW);
    C2paSigner signer = new C2paSigner(credential, Optional.of(away));

    assertThatThrownBy(() -> signer.sign(file(ImageFormat.PNG, ""), CLAIM))
        .isInstanceOf(LightmillException.class)
        .hasMessageStartingWith("time stamp server 'http://127.0.0.1/tsa': it sent no time stamp")
        .extracting(e -> ((LightmillException) e).code())
        .isEqualTo(ErrorCode.STORE_FAILED);
  }

  @Test
  void anExpiredCertificateIsFoundUnlessATimeStampIsOlder() {
    byte[] signed = signer().sign(file(ImageFormat.PNG, "a mug"), CLAIM);
    C2paVerifier later = new C2paVerifier(TrustAnchors.NONE, NOW.plus(31, ChronoUnit.DAYS));

    assertThat(later.verify(signed).orElseThrow().findings())
        .extracting(C2paFinding::code)
        .contains("claimSignature.outsideValidity");
  }
}
