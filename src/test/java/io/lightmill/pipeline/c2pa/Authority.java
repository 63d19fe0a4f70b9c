package io.lightmill.pipeline.c2pa;

import io.lightmill.pipeline.c2pa.SigningCredential.PemFile;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.openssl.jcajce.JcaPKCS8Generator;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** A certification authority for tests: a root, and certificates that it issues. */
public final class Authority {

  /** Of key stores. */
  public static final String PASSWORD = "changeit";

  @SuppressWarnings("TimeInStaticInitializer") // the time of these tests
  private static final Instant NOW = Instant.now();

  private final KeyPair root = keys("secp256r1");
  private final X509CertificateHolder certificate =
      issue(root, "CN=Test Root", true, null, NOW.plus(Duration.ofDays(3650)));

  /** Keys for ES256. */
  public static KeyPair keys() {
    return keys("secp256r1");
  }

  static KeyPair keys(String curve) {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(new ECGenParameterSpec(curve));
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  public X509CertificateHolder root() {
    return certificate;
  }

  /** A certificate that is fit for C2PA. */
  public X509CertificateHolder signer(KeyPair keys) {
    return signer(keys, KeyPurposeId.id_kp_emailProtection, NOW.plus(Duration.ofDays(30)));
  }

  X509CertificateHolder signer(KeyPair keys, KeyPurposeId purpose, Instant end) {
    return issue(keys, "O=Test,CN=Signer", false, purpose, end);
  }

  /** Keys and certificate of a TLS server on this machine, and the root. */
  public KeyStore server() {
    KeyPair keys = keys();
    X509CertificateHolder leaf =
        issue(
            keys,
            "CN=localhost",
            false,
            KeyPurposeId.id_kp_serverAuth,
            NOW.plus(Duration.ofDays(30)));
    return store(
        store ->
            store.setKeyEntry(
                "server",
                keys.getPrivate(),
                PASSWORD.toCharArray(),
                new Certificate[] {converted(leaf), converted(certificate)}));
  }

  /** A store that trusts the root. */
  public KeyStore trust() {
    return store(store -> store.setCertificateEntry("root", converted(certificate)));
  }

  private interface Entry {
    void in(KeyStore store) throws GeneralSecurityException;
  }

  private static KeyStore store(Entry entry) {
    try {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(null, null);
      entry.in(store);
      return store;
    } catch (GeneralSecurityException | IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Certificate converted(X509CertificateHolder holder)
      throws GeneralSecurityException {
    return new JcaX509CertificateConverter().getCertificate(holder);
  }

  private X509CertificateHolder issue(
      KeyPair keys, String subject, boolean authority, KeyPurposeId purpose, Instant end) {
    try {
      JcaX509ExtensionUtils ids = new JcaX509ExtensionUtils();
      JcaX509v3CertificateBuilder builder =
          new JcaX509v3CertificateBuilder(
              new X500Name("CN=Test Root"),
              BigInteger.valueOf(System.nanoTime()),
              Date.from(NOW.minus(Duration.ofDays(60))),
              Date.from(end),
              new X500Name(subject),
              keys.getPublic());
      builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(authority));
      builder.addExtension(
          Extension.keyUsage,
          true,
          new KeyUsage(authority ? KeyUsage.keyCertSign : KeyUsage.digitalSignature));
      builder.addExtension(
          Extension.authorityKeyIdentifier,
          false,
          ids.createAuthorityKeyIdentifier(root.getPublic()));
      if (KeyPurposeId.id_kp_serverAuth.equals(purpose)) {
        builder.addExtension(
            Extension.subjectAlternativeName,
            false,
            new GeneralNames(new GeneralName(GeneralName.dNSName, "localhost")));
      }
      if (purpose != null) {
        builder.addExtension(Extension.extendedKeyUsage, true, new ExtendedKeyUsage(purpose));
      }
      return builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(root.getPrivate()));
    } catch (GeneralSecurityException | OperatorCreationException | IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A file with these keys and certificates. */
  public static PemFile pem(String name, Object... objects) {
    StringWriter text = new StringWriter();
    try (JcaPEMWriter writer = new JcaPEMWriter(text)) {
      for (Object each : objects) {
        writer.writeObject(
            each instanceof PrivateKey key ? new JcaPKCS8Generator(key, null) : each);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new PemFile(name, text.toString().getBytes(StandardCharsets.US_ASCII));
  }
}
