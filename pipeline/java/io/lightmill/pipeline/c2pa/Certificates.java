package io.lightmill.pipeline.c2pa;

import io.lightmill.pipeline.c2pa.SigningCredential.PemFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.cert.CertificateEncodingException;
import java.util.List;
import org.bouncycastle.cert.CertException;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.crypto.params.AsymmetricKeyParameter;
import org.bouncycastle.crypto.params.ECPublicKeyParameters;
import org.bouncycastle.crypto.util.PublicKeyFactory;
import org.bouncycastle.operator.DefaultDigestAlgorithmIdentifierFinder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.bc.BcECContentVerifierProviderBuilder;
import org.bouncycastle.operator.bc.BcRSAContentVerifierProviderBuilder;

/** Certificates as Bouncy Castle reads them, for the check of signatures. */
final class Certificates {

  private Certificates() {}

  /**
   * The certificates of a PEM file.
   *
   * @throws io.lightmill.pipeline.LightmillException with {@code CONFIGURATION_INVALID} if it has
   *     none, or a damaged one
   */
  static List<X509CertificateHolder> read(PemFile file) {
    return SigningCredential.certificates(file).stream()
        .map(
            certificate -> {
              try {
                return new X509CertificateHolder(certificate.getEncoded());
              } catch (CertificateEncodingException e) {
                throw new IllegalStateException("a certificate that was read can be written", e);
              } catch (IOException e) {
                throw new UncheckedIOException(e); // memory
              }
            })
        .toList();
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

  static byte[] der(X509CertificateHolder certificate) {
    try {
      return certificate.getEncoded();
    } catch (IOException e) {
      throw new IllegalStateException("a certificate that was read can be written", e);
    }
  }
}
