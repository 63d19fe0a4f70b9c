package io.lightmill.udfs.earlier;

/**
 * What is taken from earlier runs over the same output.
 *
 * @param output directory of images and manifests
 * @param force draw every image again, whatever earlier runs stored
 * @param retryFailed try images again that failed in earlier runs, instead of leaving them failed
 */
public record Rerun(String output, boolean force, boolean retryFailed) {}
