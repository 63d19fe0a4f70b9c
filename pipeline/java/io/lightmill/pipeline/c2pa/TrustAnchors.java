package io.lightmill.pipeline.c2pa;

import java.util.List;
import org.bouncycastle.cert.X509CertificateHolder;

/** Root certificates. */
public final class TrustAnchors {

  /** No roots: no signer is trusted. */
  public static final TrustAnchors NONE = new TrustAnchors(List.of());

  private final List<X509CertificateHolder> certificates;

  private TrustAnchors(List<X509CertificateHolder> certificates) {
    this.certificates = certificates;
  }

  /**
   * All certificates of a PEM file.
   *
   * @throws io.lightmill.pipeline.LightmillException with {@code CONFIGURATION_INVALID} if it has
   *     none
   */
  public static TrustAnchors read(SigningCredential.PemFile file) {
    return new TrustAnchors(Certificates.read(file));
  }

  List<X509CertificateHolder> certificates() {
    return certificates;
  }
}
