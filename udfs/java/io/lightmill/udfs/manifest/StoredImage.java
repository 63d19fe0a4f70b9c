package io.lightmill.udfs.manifest;

/**
 * An image that stands in the store.
 *
 * @param path key of its object below the output
 * @param bytes of the image
 * @param sha256 of the image, in lower-case hex
 */
public record StoredImage(String path, long bytes, String sha256) {}
