package io.lightmill.udfs.shard;

import java.util.Optional;

/**
 * The location of an image, from a manifest.
 *
 * @param path key of the object: the image itself, or a shard
 * @param member its name in the shard; empty if the object is the image
 * @param offset of its first byte in the shard; empty if it is not stored contiguously
 * @param bytes of the image
 */
public record ImagePlace(String path, Optional<String> member, Optional<Long> offset, long bytes) {}
