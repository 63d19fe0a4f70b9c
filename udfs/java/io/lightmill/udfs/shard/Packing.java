package io.lightmill.udfs.shard;

import java.io.Serializable;

/**
 * How images are packed.
 *
 * @param shardSize maximum number of images in a shard
 */
public record Packing(ShardFormat format, int shardSize) implements Serializable {}
