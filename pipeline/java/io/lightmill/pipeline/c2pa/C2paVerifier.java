package io.lightmill.pipeline.c2pa;

import com.fasterxml.jackson.databind.JsonNode;
import io.lightmill.pipeline.image.ManifestEmbedding;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.commons.codec.digest.DigestUtils;
import org.bouncycastle.cert.X509CertificateHolder;

/**
 * Verifies the active manifest of a file: its form, the hashes of its assertions and of the file,
 * the signature, the certificates and the time stamp. Manifests of ingredients are not verified.
 */
public final class C2paVerifier {

  private final List<X509CertificateHolder> roots;
  private final Instant now;

  /**
   * @param roots certificates that end the chains of trusted signers
   * @param now against which certificates are checked where there is no time stamp
   */
  public C2paVerifier(TrustAnchors roots, Instant now) {
    this.roots = roots.certificates();
    this.now = now;
  }

  /**
   * Verifies a file.
   *
   * @param file a PNG, JPEG or WebP
   * @return empty if it has no manifest
   */
  public Optional<C2paReport> verify(byte[] file) {
    return ManifestEmbedding.find(file).map(place -> verified(file, place));
  }

  private C2paReport verified(byte[] file, ManifestEmbedding place) {
    List<C2paFinding> findings = new ArrayList<>();
    Draft draft = new Draft();
    try {
      Jumbf store = Jumbf.read(place.store());
      List<Jumbf> manifests = store.superboxes();
      if (!store.kind().equals(Jumbf.STORE) || manifests.isEmpty()) {
        throw new MalformedManifestException("it has no manifest");
      }
      verify(file, place, manifests.get(manifests.size() - 1), draft, findings);
    } catch (MalformedManifestException e) {
      findings.add(
          C2paFinding.failure("claim.malformed", "the manifest is malformed: " + e.getMessage()));
    }
    return draft.report(findings);
  }

  private void verify(
      byte[] file,
      ManifestEmbedding place,
      Jumbf manifest,
      Draft draft,
      List<C2paFinding> findings) {
    draft.manifest = manifest.label();
    Jumbf claim = manifest.only(Jumbf.CLAIM);
    JsonNode claimed = Cbor.read(claim.content());
    draft.generator = generator(claimed);
    CoseSign1 signature = CoseSign1.read(manifest.only(Jumbf.SIGNATURE).content());
    draft.signedAt = new SignatureCheck(roots, now).verify(signature, claim.content(), findings);
    draft.signer = SignatureCheck.subject(signature);
    Jumbf assertions = manifest.only(Jumbf.ASSERTIONS);
    boolean bound = false;
    for (JsonNode uri : uris(claimed)) {
      String url = uri.path("url").asText();
      String label = url.substring(url.lastIndexOf('/') + 1);
      Optional<Jumbf> assertion = assertions.labelled(label);
      if (assertion.isEmpty()) {
        findings.add(
            C2paFinding.failure(
                "assertion.missing", "the assertion '%s' is missing".formatted(label)));
        continue;
      }
      byte[] hash = DigestUtils.sha256(assertion.get().hashed());
      findings.add(
          C2paFinding.of(
              Arrays.equals(hash, CoseSign1.binary(uri.path("hash"))),
              "assertion.hashedURI.match",
              "assertion.hashedURI.mismatch",
              "hash of the assertion '%s'".formatted(label)));
      if (label.equals(C2paSigner.DATA_HASH)) {
        bound = true;
        findings.addAll(dataHash(file, place, Cbor.read(assertion.get().content())));
      } else if (label.startsWith("c2pa.actions")) {
        draft.actions.addAll(actions(Cbor.read(assertion.get().content())));
      }
    }
    if (!bound) {
      findings.add(
          C2paFinding.failure(
              "claim.hardBindings.missing", "the claim has no hash of the file (c2pa.hash.data)"));
    }
  }

  private static List<JsonNode> uris(JsonNode claim) {
    List<JsonNode> uris = new ArrayList<>();
    for (String list : List.of("created_assertions", "gathered_assertions", "assertions")) {
      claim.path(list).forEach(uris::add);
    }
    return uris;
  }

  private static String generator(JsonNode claim) {
    JsonNode info = claim.path("claim_generator_info");
    JsonNode first = info.isArray() ? info.path(0) : info;
    String version = first.path("version").asText();
    return (first.path("name").asText(claim.path("claim_generator").asText()) + " " + version)
        .strip();
  }

  private static List<String> actions(JsonNode assertion) {
    List<String> actions = new ArrayList<>();
    assertion
        .path("actions")
        .forEach(
            action -> {
              String source = action.path("digitalSourceType").asText();
              String kind = source.substring(source.lastIndexOf('/') + 1);
              String name = action.path("action").asText();
              actions.add(kind.isEmpty() ? name : "%s (%s)".formatted(name, kind));
            });
    return actions;
  }

  /** Only one range may be left out of the hash: the manifest. */
  private static List<C2paFinding> dataHash(byte[] file, ManifestEmbedding place, JsonNode parts) {
    String algorithm = parts.path("alg").asText("sha256");
    if (!algorithm.equals("sha256")) {
      return List.of(
          C2paFinding.failure(
              "algorithm.unsupported", "the file's hash is %s, not sha256".formatted(algorithm)));
    }
    JsonNode exclusions = parts.path("exclusions");
    JsonNode exclusion = exclusions.path(0);
    boolean manifest =
        exclusions.size() == 1
            && exclusion.path("start").asLong(-1) == place.start()
            && exclusion.path("length").asLong(-1) == place.length();
    if (!manifest) {
      return List.of(
          C2paFinding.failure(
              "assertion.dataHash.mismatch",
              "the file's hash leaves out other bytes than the manifest's"));
    }
    byte[] hash = ContentHash.sha256(file, place.start(), place.length());
    return List.of(
        C2paFinding.of(
            Arrays.equals(hash, CoseSign1.binary(parts.path("hash"))),
            "assertion.dataHash.match",
            "assertion.dataHash.mismatch",
            "hash of the file"));
  }

  /** The parts of a report, as far as they are known when a check ends the verification. */
  private static final class Draft {
    private String manifest;
    private String generator;
    private Optional<String> signer = Optional.empty();
    private Optional<Instant> signedAt = Optional.empty();
    private final List<String> actions = new ArrayList<>();

    C2paReport report(List<C2paFinding> findings) {
      return new C2paReport(
          Optional.ofNullable(manifest),
          Optional.ofNullable(generator),
          signer,
          signedAt,
          List.copyOf(actions),
          List.copyOf(findings));
    }
  }
}
