package io.lightmill.pipeline.c2pa;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.c2pa.SigningCredential.PemFile;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.bouncycastle.asn1.sec.ECPrivateKey;
import org.bouncycastle.asn1.sec.SECObjectIdentifiers;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.openssl.PKCS8Generator;
import org.bouncycastle.openssl.jcajce.JcaPKCS8Generator;
import org.bouncycastle.openssl.jcajce.JceOpenSSLPKCS8EncryptorBuilder;
import org.bouncycastle.util.io.pem.PemObject;
import org.junit.jupiter.api.Test;

class SigningCredentialTest {

  private static final Authority AUTHORITY = new Authority();
  private static final KeyPair KEYS = Authority.keys("secp256r1");
  private static final PemFile CHAIN = Authority.pem("chain.pem", AUTHORITY.signer(KEYS));
  private static final PemFile KEY = Authority.pem("key.pem", KEYS.getPrivate());

  @SuppressWarnings("TimeInStaticInitializer") // the time of these tests
  private static final Instant NOW = Instant.now();

  @Test
  void keysOfBothFormsAreRead() throws Exception {
    ECPrivateKey sec1 =
        new ECPrivateKey(
            256,
            ((java.security.interfaces.ECPrivateKey) KEYS.getPrivate()).getS(),
            SECObjectIdentifiers.secp256r1);
    PemFile openssl = Authority.pem("key.pem", new PemObject("EC PRIVATE KEY", sec1.getEncoded()));
    byte[] data = {1, 2, 3};

    assertThat(SigningCredential.read(CHAIN, openssl, NOW).signature(data))
        .isEqualTo(SigningCredential.read(CHAIN, KEY, NOW).signature(data))
        .hasSize(64);
  }

  @Test
  void theRootIsNotStored() {
    PemFile whole = Authority.pem("chain.pem", AUTHORITY.signer(KEYS), AUTHORITY.root());

    assertThat(SigningCredential.read(whole, KEY, NOW).chain()).hasSize(1);
  }

  @Test
  void textsAndErrorsHaveNothingOfTheKey() {
    SigningCredential credential = SigningCredential.read(CHAIN, KEY, NOW);

    assertThat(credential.toString()).isEqualTo("CN=Signer, O=Test");
    assertThat(KEY.toString()).isEqualTo("key.pem");
  }

  @Test
  void wrongFilesAreRefusedWithTheFix() throws Exception {
    refused(text("x.pem", ""), KEY, "'x.pem': it has no certificate; give a PEM file");
    refused(CHAIN, text("k.pem", "hello"), "'k.pem': it has no private key; give a PEM file");
    refused(CHAIN, CHAIN, "'chain.pem': it has no private key");
    refused(
        CHAIN,
        text("k.pem", "-----BEGIN PRIVATE KEY-----\n????\n-----END PRIVATE KEY-----\n"),
        "'k.pem': it is not a PEM file or is damaged");
    refused(
        CHAIN,
        Authority.pem("k.pem", Authority.keys("secp256r1").getPrivate()),
        "'k.pem': the key is not that of the first certificate in 'chain.pem'");
    refused(
        CHAIN,
        Authority.pem("k.pem", Authority.keys("secp384r1").getPrivate()),
        "'k.pem': the key is not of the curve P-256");
    refused(
        CHAIN,
        Authority.pem(
            "k.pem",
            new JcaPKCS8Generator(
                KEYS.getPrivate(),
                new JceOpenSSLPKCS8EncryptorBuilder(PKCS8Generator.AES_256_CBC)
                    .setProvider(new org.bouncycastle.jce.provider.BouncyCastleProvider())
                    .setPassword("secret".toCharArray())
                    .build())),
        "'k.pem': the key is encrypted; decrypt it with");
  }

  @Test
  void unfitCertificatesAreRefusedWithTheFix() {
    Instant past = NOW.minus(1, ChronoUnit.DAYS);
    refused(
        Authority.pem("c.pem", AUTHORITY.signer(KEYS, KeyPurposeId.id_kp_emailProtection, past)),
        KEY,
        "'c.pem': the first certificate is valid from");
    refused(
        Authority.pem(
            "c.pem", AUTHORITY.signer(KEYS, KeyPurposeId.id_kp_serverAuth, NOW.plusSeconds(999))),
        KEY,
        "'c.pem': the first certificate has no extended key usage that C2PA accepts");
    refused(
        Authority.pem("c.pem", AUTHORITY.root(), AUTHORITY.signer(KEYS)),
        KEY,
        "'c.pem': the first certificate is self-signed or a root");
    refused(
        Authority.pem("c.pem", AUTHORITY.signer(KEYS), new Authority().root()),
        KEY,
        "'c.pem': certificate 2 did not issue certificate 1");
  }

  @Test
  void otherBlocksAndTextsInAFileAreSkipped() {
    PemFile exported =
        text(
            "key.pem",
            "Bag Attributes: <none>\n-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
                + "-----END EC PARAMETERS-----\n"
                + KEY.text());

    assertThat(SigningCredential.read(CHAIN, exported, NOW).chain()).hasSize(1);
    refused(
        CHAIN,
        text(
            "k.pem",
            """
            -----BEGIN EC PRIVATE KEY-----
            Proc-Type: 4,ENCRYPTED
            DEK-Info: AES-256-CBC,00

            AAAA
            -----END EC PRIVATE KEY-----
            """),
        "'k.pem': the key is encrypted; decrypt it with");
    refused(
        CHAIN,
        text("k.pem", "-----BEGIN RSA PRIVATE KEY-----\nMAA=\n-----END RSA PRIVATE KEY-----\n"),
        "'k.pem': the key is not of the curve P-256");
  }

  private static void refused(PemFile certificates, PemFile key, String message) {
    assertThatThrownBy(() -> SigningCredential.read(certificates, key, NOW))
        .isInstanceOf(LightmillException.class)
        .hasMessageContaining("C2PA signing with " + message);
  }

  private static PemFile text(String name, String text) {
    return new PemFile(name, text.getBytes(StandardCharsets.US_ASCII));
  }
}
