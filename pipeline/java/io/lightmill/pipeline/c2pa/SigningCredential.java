package io.lightmill.pipeline.c2pa;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.IOException;
import java.io.StringReader;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Set;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.CertException;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.crypto.digests.SHA256Digest;
import org.bouncycastle.crypto.ec.CustomNamedCurves;
import org.bouncycastle.crypto.params.AsymmetricKeyParameter;
import org.bouncycastle.crypto.params.ECPrivateKeyParameters;
import org.bouncycastle.crypto.params.ECPublicKeyParameters;
import org.bouncycastle.crypto.signers.ECDSASigner;
import org.bouncycastle.crypto.signers.HMacDSAKCalculator;
import org.bouncycastle.crypto.util.PrivateKeyFactory;
import org.bouncycastle.crypto.util.PublicKeyFactory;
import org.bouncycastle.openssl.PEMEncryptedKeyPair;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.operator.DefaultDigestAlgorithmIdentifierFinder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.bc.BcECContentVerifierProviderBuilder;
import org.bouncycastle.operator.bc.BcRSAContentVerifierProviderBuilder;
import org.bouncycastle.pkcs.PKCS8EncryptedPrivateKeyInfo;
import org.bouncycastle.util.BigIntegers;

/**
 * A chain of certificates and the private key of the first one, with which C2PA manifests are
 * signed: ES256, so that the key is of the curve P-256. Its text and errors contain nothing of the
 * key.
 */
public final class SigningCredential {

  private static final BigInteger P256_ORDER = CustomNamedCurves.getByName("P-256").getN();
  private static final int NUMBER_BYTES = 32;

  /** Purposes that C2PA's validators accept by default, the last its own. */
  private static final Set<String> PURPOSES =
      Set.of(
          KeyPurposeId.id_kp_emailProtection.getId(),
          "1.3.6.1.5.5.7.3.36",
          "1.3.6.1.4.1.62558.2.1");

  private final List<X509CertificateHolder> chain;
  private final ECPrivateKeyParameters key;

  private SigningCredential(List<X509CertificateHolder> chain, ECPrivateKeyParameters key) {
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
    List<X509CertificateHolder> chain = chain(certificates);
    ECPrivateKeyParameters secret = key(key);
    requireSigner(chain.get(0), certificates, now);
    for (int i = 1; i < chain.size(); i++) {
      if (!isSigned(chain.get(i - 1), chain.get(i))) {
        throw invalid(
            certificates,
            "certificate %d did not issue certificate %d; order them from the signer's to the root's"
                .formatted(i + 1, i));
      }
    }
    if (!isKeyOf(secret, chain.get(0))) {
      throw invalid(
          key,
          "the key is not that of the first certificate in '%s'; give the key that its request was made with"
              .formatted(certificates.name()));
    }
    int last = chain.size() - 1;
    boolean root = last > 0 && chain.get(last).getIssuer().equals(chain.get(last).getSubject());
    return new SigningCredential(root ? chain.subList(0, last) : chain, secret);
  }

  /** Certificates in DER, the signer's first. */
  List<byte[]> chain() {
    return chain.stream().map(SigningCredential::der).toList();
  }

  /** An ES256 signature, the same for the same bytes (RFC 6979). */
  byte[] signature(byte[] data) {
    SHA256Digest digest = new SHA256Digest();
    digest.update(data, 0, data.length);
    byte[] hash = new byte[digest.getDigestSize()];
    digest.doFinal(hash, 0);
    ECDSASigner signer = new ECDSASigner(new HMacDSAKCalculator(new SHA256Digest()));
    signer.init(true, key);
    BigInteger[] numbers = signer.generateSignature(hash);
    byte[] signature = new byte[2 * NUMBER_BYTES];
    BigIntegers.asUnsignedByteArray(numbers[0], signature, 0, NUMBER_BYTES);
    BigIntegers.asUnsignedByteArray(numbers[1], signature, NUMBER_BYTES, NUMBER_BYTES);
    return signature;
  }

  /** The end of the signer's certificate's validity. */
  Instant validUntil() {
    return chain.get(0).getNotAfter().toInstant();
  }

  @Override
  public String toString() {
    return chain.get(0).getSubject().toString();
  }

  static List<X509CertificateHolder> chain(PemFile file) {
    List<X509CertificateHolder> chain = new ArrayList<>();
    for (Object each : objects(file)) {
      if (each instanceof X509CertificateHolder certificate) {
        chain.add(certificate);
      }
    }
    if (chain.isEmpty()) {
      throw invalid(file, "it has no certificate; give a PEM file with BEGIN CERTIFICATE");
    }
    return chain;
  }

  private static ECPrivateKeyParameters key(PemFile file) {
    for (Object each : objects(file)) {
      if (each instanceof PEMEncryptedKeyPair || each instanceof PKCS8EncryptedPrivateKeyInfo) {
        throw invalid(
            file, "the key is encrypted; decrypt it with 'openssl pkcs8 -topk8 -nocrypt'");
      }
      PrivateKeyInfo info =
          each instanceof PEMKeyPair pair
              ? pair.getPrivateKeyInfo()
              : each instanceof PrivateKeyInfo plain ? plain : null;
      if (info != null) {
        return key(file, info);
      }
    }
    throw invalid(file, "it has no private key; give a PEM file with BEGIN PRIVATE KEY");
  }

  private static ECPrivateKeyParameters key(PemFile file, PrivateKeyInfo info) {
    AsymmetricKeyParameter key;
    try {
      key = PrivateKeyFactory.createKey(info);
    } catch (IOException | RuntimeException e) { // its cause may quote the key
      throw invalid(file, "the key cannot be read; export it again as PKCS #8");
    }
    if (key instanceof ECPrivateKeyParameters ec && ec.getParameters().getN().equals(P256_ORDER)) {
      return ec;
    }
    throw invalid(file, "the key is not of the curve P-256 (prime256v1), which ES256 needs");
  }

  private static List<Object> objects(PemFile file) {
    List<Object> objects = new ArrayList<>();
    try (PEMParser parser = new PEMParser(new StringReader(file.text()))) {
      for (Object each = parser.readObject(); each != null; each = parser.readObject()) {
        objects.add(each);
      }
    } catch (IOException | RuntimeException e) { // its cause may quote the key
      throw invalid(file, "it is not a PEM file or is damaged; export it again");
    }
    return objects;
  }

  private static void requireSigner(X509CertificateHolder signer, PemFile file, Instant now) {
    Extensions extensions = signer.getExtensions();
    if (!signer.isValidOn(Date.from(now))) {
      throw invalid(
          file,
          "the first certificate is valid from %s to %s only; renew it"
              .formatted(signer.getNotBefore().toInstant(), signer.getNotAfter().toInstant()));
    }
    if (signer.getIssuer().equals(signer.getSubject())) {
      throw invalid(
          file,
          "the first certificate is self-signed or a root; put the signer's first, issued by"
              + " another");
    }
    KeyUsage usage = extensions == null ? null : KeyUsage.fromExtensions(extensions);
    if (usage == null || !usage.hasUsages(KeyUsage.digitalSignature)) {
      throw invalid(
          file, "the first certificate is not for digital signatures (keyUsage); issue another");
    }
    ExtendedKeyUsage purposes = ExtendedKeyUsage.fromExtensions(extensions);
    boolean forSigning =
        purposes != null
            && List.of(purposes.getUsages()).stream()
                .anyMatch(purpose -> PURPOSES.contains(purpose.getId()));
    if (!forSigning) {
      throw invalid(
          file,
          "the first certificate has no extended key usage that C2PA accepts (document signing,"
              + " e-mail protection or C2PA claim signing); issue another");
    }
    if (extensions.getExtension(Extension.authorityKeyIdentifier) == null) {
      throw invalid(file, "the first certificate has no authority key identifier; issue another");
    }
  }

  static boolean isSigned(X509CertificateHolder certificate, X509CertificateHolder issuer) {
    if (!certificate.getIssuer().equals(issuer.getSubject())) {
      return false;
    }
    try {
      DefaultDigestAlgorithmIdentifierFinder digests = new DefaultDigestAlgorithmIdentifierFinder();
      AsymmetricKeyParameter issuerKey =
          PublicKeyFactory.createKey(issuer.getSubjectPublicKeyInfo());
      return certificate.isSignatureValid(
          issuerKey instanceof ECPublicKeyParameters
              ? new BcECContentVerifierProviderBuilder(digests).build(issuer)
              : new BcRSAContentVerifierProviderBuilder(digests).build(issuer));
    } catch (IOException | OperatorCreationException | CertException | RuntimeException e) {
      return false; // an algorithm that is none of the two, or a damaged key
    }
  }

  private static boolean isKeyOf(ECPrivateKeyParameters key, X509CertificateHolder certificate) {
    try {
      return PublicKeyFactory.createKey(certificate.getSubjectPublicKeyInfo())
              instanceof ECPublicKeyParameters ec
          && key.getParameters().getG().multiply(key.getD()).normalize().equals(ec.getQ());
    } catch (IOException e) {
      return false; // a key of an unknown kind
    }
  }

  static byte[] der(X509CertificateHolder certificate) {
    try {
      return certificate.getEncoded();
    } catch (IOException e) {
      throw new IllegalStateException("a certificate that was read can be written", e);
    }
  }

  private static LightmillException invalid(PemFile file, String what) {
    return new LightmillException(
        ErrorCode.CONFIGURATION_INVALID, "C2PA signing with '%s': %s".formatted(file.name(), what));
  }
}
