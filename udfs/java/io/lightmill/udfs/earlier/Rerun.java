package io.lightmill.udfs.earlier;

/**
 * What is taken from earlier runs over the same output.
 *
 * @param force draw every image again, whatever earlier runs stored
 * @param retryFailed try images again that failed in earlier runs, instead of leaving them failed
 */
public record Rerun(boolean force, boolean retryFailed) {}
