package io.lightmill.udfs.earlier;

import io.lightmill.udfs.manifest.RunAttempt;
import java.io.Serializable;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What is taken from earlier runs over the same output.
 *
 * @param force draw every image again, whatever earlier runs stored; images that earlier attempts
 *     at this run committed are reused all the same
 * @param retryFailed try images again that failed in earlier runs, instead of leaving them failed
 * @param imagePolicies digests of the policies that check images; an image that one of them blocked
 *     stays blocked
 * @param attempt that is made
 * @param hosted for a hosted model; empty for a checkpoint
 */
public record Rerun(
    boolean force,
    boolean retryFailed,
    Set<String> imagePolicies,
    RunAttempt attempt,
    Optional<Hosted> hosted) {

  /**
   * What is taken from earlier runs with a hosted model.
   *
   * @param retryUncertain send requests again whose answer was lost
   * @param retryBlocked send requests again that the filter of the provider has blocked
   */
  public record Hosted(boolean retryUncertain, boolean retryBlocked) implements Serializable {}

  /** The manifests from which images are taken, of these committed ones. */
  List<String> manifests(List<String> committed) {
    return force ? committed.stream().filter(attempt::isOfSameRun).toList() : committed;
  }
}
