package io.lightmill.pipeline.c2pa;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.ByteArrayInputStream;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateEncodingException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPrivateKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;

/**
 * A chain of certificates and the private key of the first one, with which C2PA manifests are
 * signed: ES256, so that the key is of the curve P-256. Its text and errors contain nothing of the
 * key.
 */
public final class SigningCredential {

  private static final BigInteger P256_ORDER =
      new BigInteger("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16);

  private static final int DIGITAL_SIGNATURE = 0;
  private static final String EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.4";
  private static final String AUTHORITY_KEY_IDENTIFIER = "2.5.29.35";

  /** Purposes that C2PA's validators accept by default, the last its own. */
  private static final Set<String> PURPOSES =
      Set.of(EMAIL_PROTECTION, "1.3.6.1.5.5.7.3.36", "1.3.6.1.4.1.62558.2.1");

  /** The algorithm of a PKCS #8 key of P-256, and the version before it. */
  private static final byte[] P256_HEADER =
      HexFormat.of().parseHex("020100301306072a8648ce3d020106082a8648ce3d030107");

  private static final int SEQUENCE = 0x30;
  private static final int OCTETS = 0x04;

  private final List<X509Certificate> chain;
  private final ECPrivateKey key;

  private SigningCredential(List<X509Certificate> chain, ECPrivateKey key) {
    this.chain = List.copyOf(chain);
    this.key = key;
  }

  /**
   * A PEM file.
   *
   * @param name for messages
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  public record PemFile(String name, byte[] content) {
    String text() {
      return new String(content, StandardCharsets.ISO_8859_1);
    }

    @Override
    public String toString() {
      return name;
    }
  }

  /**
   * Reads a credential and checks it as C2PA's validators do.
   *
   * @param certificates the signer's first, then each issuer of the one before; a root at the end
   *     is left out
   * @param key PKCS #8 or SEC 1, not encrypted
   * @throws LightmillException with {@code CONFIGURATION_INVALID} and the name of the file
   */
  public static SigningCredential read(PemFile certificates, PemFile key, Instant now) {
    List<X509Certificate> chain = certificates(certificates);
    ECPrivateKey secret = key(key);
    requireSigner(chain.get(0), certificates, now);
    for (int i = 1; i < chain.size(); i++) {
      if (!isSigned(chain.get(i - 1), chain.get(i))) {
        throw invalid(
            certificates,
            "certificate %d did not issue certificate %d; order them from the signer's to the root's"
                .formatted(i + 1, i));
      }
    }
    byte[] message = {};
    if (!Es256.verifies(chain.get(0).getPublicKey(), message, Es256.signature(secret, message))) {
      throw invalid(
          key,
          "the key is not that of the first certificate in '%s'; give the key that its request was made with"
              .formatted(certificates.name()));
    }
    int last = chain.size() - 1;
    return new SigningCredential(
        last > 0 && isOwnIssuer(chain.get(last)) ? chain.subList(0, last) : chain, secret);
  }

  /** Certificates in DER, the signer's first. */
  List<byte[]> chain() {
    return chain.stream().map(SigningCredential::der).toList();
  }

  /** An ES256 signature, the same for the same bytes. */
  byte[] signature(byte[] data) {
    return Es256.signature(key, data);
  }

  /** The end of the signer's certificate's validity. */
  Instant validUntil() {
    return chain.get(0).getNotAfter().toInstant();
  }

  @Override
  public String toString() {
    return chain.get(0).getSubjectX500Principal().toString();
  }

  /** The certificates of a PEM file, at least one. */
  static List<X509Certificate> certificates(PemFile file) {
    List<X509Certificate> chain = new ArrayList<>();
    for (PemBlock block : blocks(file)) {
      if (block.label().equals("CERTIFICATE")) {
        chain.add(certificate(file, block.der()));
      }
    }
    if (chain.isEmpty()) {
      throw invalid(file, "it has no certificate; give a PEM file with BEGIN CERTIFICATE");
    }
    return chain;
  }

  private static X509Certificate certificate(PemFile file, byte[] der) {
    try {
      return (X509Certificate)
          CertificateFactory.getInstance("X.509")
              .generateCertificate(new ByteArrayInputStream(der));
    } catch (CertificateException e) {
      throw damaged(file);
    }
  }

  private static ECPrivateKey key(PemFile file) {
    for (PemBlock block : blocks(file)) {
      String label = block.label();
      if (block.encrypted() || label.equals("ENCRYPTED PRIVATE KEY")) {
        throw invalid(
            file, "the key is encrypted; decrypt it with 'openssl pkcs8 -topk8 -nocrypt'");
      } else if (label.endsWith("PRIVATE KEY")) {
        return key(file, label.startsWith("EC ") ? pkcs8(block.der()) : block.der());
      }
    }
    throw invalid(file, "it has no private key; give a PEM file with BEGIN PRIVATE KEY");
  }

  private static ECPrivateKey key(PemFile file, byte[] pkcs8) {
    try {
      PrivateKey key = KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
      if (key instanceof ECPrivateKey ec && ec.getParams().getOrder().equals(P256_ORDER)) {
        return ec;
      }
    } catch (GeneralSecurityException | RuntimeException e) { // its text may quote the key
      // as a key of another kind
    }
    throw invalid(
        file,
        "the key is not of the curve P-256 (prime256v1), which ES256 needs, or is damaged; give"
            + " another, or export it again as PKCS #8");
  }

  /** An SEC 1 key of P-256 as PKCS #8 (RFC 5958). */
  private static byte[] pkcs8(byte[] sec1) {
    byte[] octets = der(OCTETS, sec1);
    return der(
        SEQUENCE,
        ByteBuffer.allocate(P256_HEADER.length + octets.length)
            .put(P256_HEADER)
            .put(octets)
            .array());
  }

  private static byte[] der(int tag, byte[] content) {
    ByteBuffer der = ByteBuffer.allocate(content.length + 4).put((byte) tag);
    if (content.length < 0x80) {
      der.put((byte) content.length);
    } else {
      der.put((byte) 0x82).putShort((short) content.length);
    }
    byte[] bytes = new byte[der.put(content).position()];
    der.flip().get(bytes);
    return bytes;
  }

  private static List<PemBlock> blocks(PemFile file) {
    try {
      return PemBlock.read(file.text());
    } catch (IllegalArgumentException e) { // its text may quote the key
      throw damaged(file);
    }
  }

  private static void requireSigner(X509Certificate signer, PemFile file, Instant now) {
    Instant from = signer.getNotBefore().toInstant();
    Instant to = signer.getNotAfter().toInstant();
    if (now.isBefore(from) || now.isAfter(to)) {
      throw invalid(
          file, "the first certificate is valid from %s to %s only; renew it".formatted(from, to));
    }
    if (isOwnIssuer(signer)) {
      throw invalid(
          file,
          "the first certificate is self-signed or a root; put the signer's first, issued by"
              + " another");
    }
    boolean[] usage = signer.getKeyUsage();
    if (usage == null || !usage[DIGITAL_SIGNATURE]) {
      throw invalid(
          file, "the first certificate is not for digital signatures (keyUsage); issue another");
    }
    if (purposes(signer).stream().noneMatch(PURPOSES::contains)) {
      throw invalid(
          file,
          "the first certificate has no extended key usage that C2PA accepts (document signing,"
              + " e-mail protection or C2PA claim signing); issue another");
    }
    if (signer.getExtensionValue(AUTHORITY_KEY_IDENTIFIER) == null) {
      throw invalid(file, "the first certificate has no authority key identifier; issue another");
    }
  }

  private static List<String> purposes(X509Certificate signer) {
    try {
      List<String> purposes = signer.getExtendedKeyUsage();
      return purposes == null ? List.of() : purposes;
    } catch (CertificateParsingException e) {
      return List.of(); // damaged: no purpose that is accepted
    }
  }

  private static boolean isOwnIssuer(X509Certificate certificate) {
    return certificate.getIssuerX500Principal().equals(certificate.getSubjectX500Principal());
  }

  private static boolean isSigned(X509Certificate certificate, X509Certificate issuer) {
    if (!certificate.getIssuerX500Principal().equals(issuer.getSubjectX500Principal())) {
      return false;
    }
    try {
      certificate.verify(issuer.getPublicKey());
      return true;
    } catch (GeneralSecurityException e) {
      return false; // another key, or an algorithm that the JDK does not know
    }
  }

  private static byte[] der(X509Certificate certificate) {
    try {
      return certificate.getEncoded();
    } catch (CertificateEncodingException e) {
      throw new IllegalStateException("a certificate that was read can be written", e);
    }
  }

  private static LightmillException damaged(PemFile file) {
    return invalid(file, "it is not a PEM file or is damaged; export it again");
  }

  private static LightmillException invalid(PemFile file, String what) {
    return new LightmillException(
        ErrorCode.CONFIGURATION_INVALID, "C2PA signing with '%s': %s".formatted(file.name(), what));
  }
}
