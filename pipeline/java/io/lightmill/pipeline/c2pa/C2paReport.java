package io.lightmill.pipeline.c2pa;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * What a file's active C2PA manifest says, and whether it is right.
 *
 * @param manifest its label; empty if it cannot be read
 * @param generator name of the software that made the claim
 * @param signer subject of the signer's certificate
 * @param signedAt time of a valid time stamp
 * @param actions such as {@code c2pa.created (…/trainedAlgorithmicMedia)}
 * @param findings of all checks
 */
public record C2paReport(
    Optional<String> manifest,
    Optional<String> generator,
    Optional<String> signer,
    Optional<Instant> signedAt,
    List<String> actions,
    List<C2paFinding> findings) {

  /** Whether no check failed. The signer need not be one that anybody trusts. */
  public boolean valid() {
    return findings.stream().noneMatch(it -> it.severity() == C2paFinding.Severity.FAILURE);
  }

  /** Whether the manifest is valid and the chain of its signer ends in a given root. */
  public boolean trusted() {
    return valid()
        && findings.stream().anyMatch(it -> it.code().equals("signingCredential.trusted"));
  }
}
