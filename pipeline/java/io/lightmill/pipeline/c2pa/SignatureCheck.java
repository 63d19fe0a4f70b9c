package io.lightmill.pipeline.c2pa;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.commons.codec.digest.DigestUtils;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cms.CMSException;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.DefaultCMSSignatureAlgorithmNameGenerator;
import org.bouncycastle.cms.SignerInformationVerifier;
import org.bouncycastle.cms.bc.BcECSignerInfoVerifierBuilder;
import org.bouncycastle.cms.bc.BcRSASignerInfoVerifierBuilder;
import org.bouncycastle.crypto.params.ECPublicKeyParameters;
import org.bouncycastle.crypto.util.PublicKeyFactory;
import org.bouncycastle.operator.DefaultDigestAlgorithmIdentifierFinder;
import org.bouncycastle.operator.DefaultSignatureAlgorithmIdentifierFinder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.bc.BcDigestCalculatorProvider;
import org.bouncycastle.tsp.TSPException;
import org.bouncycastle.tsp.TimeStampToken;
import org.bouncycastle.util.Selector;

/** Verifies the signature of a claim, the certificates of its signer and its time stamp. */
final class SignatureCheck {

  /** COSE's numbers (RFC 9053) and the JDK's names. */
  private static final Map<Integer, String> ALGORITHMS =
      Map.of(
          CoseSign1.ES256,
          "SHA256withECDSAinP1363Format",
          -35,
          "SHA384withECDSAinP1363Format",
          -36,
          "SHA512withECDSAinP1363Format",
          -8,
          "Ed25519");

  private final List<X509CertificateHolder> roots;
  private final Instant now;

  SignatureCheck(List<X509CertificateHolder> roots, Instant now) {
    this.roots = roots;
    this.now = now;
  }

  /**
   * @param findings receives what the checks find
   * @return the time of a valid time stamp
   */
  Optional<Instant> verify(CoseSign1 signature, byte[] claim, List<C2paFinding> findings) {
    List<X509CertificateHolder> chain = chain(signature);
    String algorithm = ALGORITHMS.get(signature.algorithm());
    if (algorithm == null) {
      findings.add(
          C2paFinding.failure(
              "algorithm.unsupported",
              "the signature has COSE's algorithm %d, and ES256, ES384, ES512 and EdDSA are verified"
                  .formatted(signature.algorithm())));
    } else {
      findings.add(
          C2paFinding.of(
              isValid(signature, claim, algorithm, chain.get(0)),
              "claimSignature.validated",
              "claimSignature.mismatch",
              "signature of the claim"));
    }
    Optional<Instant> stamped = stamped(signature, findings);
    Instant at = stamped.orElse(now);
    findings.add(
        C2paFinding.of(
            chain.get(0).isValidOn(Date.from(at)),
            "claimSignature.insideValidity",
            "claimSignature.outsideValidity",
            "validity of the signer's certificate at %s".formatted(at)));
    findings.add(trust(chain));
    return stamped;
  }

  static Optional<String> subject(CoseSign1 signature) {
    try {
      return Optional.of(chain(signature).get(0).getSubject().toString());
    } catch (IllegalArgumentException e) { // Bouncy Castle decodes texts when they are needed
      throw new MalformedManifestException("the subject of a certificate in it is damaged", e);
    }
  }

  private static List<X509CertificateHolder> chain(CoseSign1 signature) {
    List<X509CertificateHolder> chain = new ArrayList<>();
    for (byte[] der : signature.chain()) {
      try {
        chain.add(new X509CertificateHolder(der));
      } catch (IOException | RuntimeException e) { // Bouncy Castle throws both for damaged DER
        throw new MalformedManifestException("a certificate in it is damaged", e);
      }
    }
    return chain;
  }

  private static boolean isValid(
      CoseSign1 signature, byte[] claim, String algorithm, X509CertificateHolder signer) {
    try {
      PublicKey key =
          CertificateFactory.getInstance("X.509")
              .generateCertificate(new ByteArrayInputStream(Certificates.der(signer)))
              .getPublicKey();
      Signature verifier = Signature.getInstance(algorithm);
      verifier.initVerify(key);
      verifier.update(CoseSign1.toBeSigned(signature.protectedHeader(), claim));
      return verifier.verify(signature.signature());
    } catch (GeneralSecurityException e) {
      return false; // the key or the signature is of another form
    }
  }

  private static Optional<Instant> stamped(CoseSign1 signature, List<C2paFinding> findings) {
    if (signature.timestamp().isEmpty()) {
      return Optional.empty();
    }
    try {
      TimeStampToken token = new TimeStampToken(new CMSSignedData(signature.timestamp().get()));
      byte[] imprint = token.getTimeStampInfo().getMessageImprintDigest();
      boolean same =
          token.getTimeStampInfo().getMessageImprintAlgOID().equals(NISTObjectIdentifiers.id_sha256)
              && Arrays.equals(imprint, DigestUtils.sha256(signature.toBeStamped()));
      token.validate(verifier(token));
      findings.add(
          C2paFinding.of(
              same, "timeStamp.validated", "timeStamp.mismatch", "time stamp of the signature"));
      findings.add(
          C2paFinding.notice(
              "timeStamp.untrusted", "nobody checks whether the time stamp server is trusted"));
      return same
          ? Optional.of(token.getTimeStampInfo().getGenTime().toInstant())
          : Optional.empty();
    } catch (CMSException
        | TSPException
        | IOException
        | OperatorCreationException
        | RuntimeException e) {
      findings.add(
          C2paFinding.failure(
              "timeStamp.malformed", "the time stamp is not valid (%s)".formatted(e.getMessage())));
      return Optional.empty();
    }
  }

  private static SignerInformationVerifier verifier(TimeStampToken token)
      throws IOException, OperatorCreationException, TSPException {
    @SuppressWarnings("unchecked") // an id of a signer selects certificates
    Selector<X509CertificateHolder> signer = token.getSID();
    X509CertificateHolder certificate =
        token.getCertificates().getMatches(signer).stream()
            .findFirst()
            .orElseThrow(() -> new TSPException("it has no certificate of its signer"));
    DefaultCMSSignatureAlgorithmNameGenerator names =
        new DefaultCMSSignatureAlgorithmNameGenerator();
    DefaultSignatureAlgorithmIdentifierFinder signatures =
        new DefaultSignatureAlgorithmIdentifierFinder();
    DefaultDigestAlgorithmIdentifierFinder digests = new DefaultDigestAlgorithmIdentifierFinder();
    BcDigestCalculatorProvider calculators = new BcDigestCalculatorProvider();
    boolean elliptic =
        PublicKeyFactory.createKey(certificate.getSubjectPublicKeyInfo())
            instanceof ECPublicKeyParameters;
    return elliptic
        ? new BcECSignerInfoVerifierBuilder(names, signatures, digests, calculators)
            .build(certificate)
        : new BcRSASignerInfoVerifierBuilder(names, signatures, digests, calculators)
            .build(certificate);
  }

  private C2paFinding trust(List<X509CertificateHolder> chain) {
    for (int i = 0; i < chain.size(); i++) {
      X509CertificateHolder certificate = chain.get(i);
      if (roots.contains(certificate)
          || roots.stream().anyMatch(root -> Certificates.isSigned(certificate, root))) {
        return C2paFinding.success(
            "signingCredential.trusted", "the signer's chain ends in a trusted root");
      }
      boolean last = i == chain.size() - 1;
      if (last || !Certificates.isSigned(certificate, chain.get(i + 1))) {
        break;
      }
    }
    return C2paFinding.notice(
        "signingCredential.untrusted",
        roots.isEmpty()
            ? "no roots are given, so that nobody is trusted"
            : "the signer's chain ends in none of the trusted roots");
  }
}
