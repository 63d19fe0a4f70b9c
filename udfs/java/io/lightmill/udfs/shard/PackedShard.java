package io.lightmill.udfs.shard;

import java.util.Map;

/**
 * A shard that stands in the store, whole.
 *
 * @param key of its object
 * @param bytes its length
 * @param offsets of the first byte of each image in it, by member; empty where images do not stand
 *     in one piece
 */
public record PackedShard(String key, long bytes, Map<String, Long> offsets) {}
