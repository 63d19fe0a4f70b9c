package io.lightmill.udfs.shard;

import java.util.Map;

/**
 * A complete shard in the store.
 *
 * @param key of its object
 * @param bytes its length
 * @param offsets of the first byte of each image, by member; empty if images are not stored
 *     contiguously
 */
public record PackedShard(String key, long bytes, Map<String, Long> offsets) {}
