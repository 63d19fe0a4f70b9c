package io.lightmill.udfs.earlier;

import io.lightmill.udfs.manifest.RunAttempt;
import java.util.List;
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
 */
public record Rerun(
    boolean force, boolean retryFailed, Set<String> imagePolicies, RunAttempt attempt) {

  /** The manifests from which images are taken, of these committed ones. */
  List<String> manifests(List<String> committed) {
    return force ? committed.stream().filter(attempt::isOfSameRun).toList() : committed;
  }
}
