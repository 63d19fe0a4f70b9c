package io.lightmill.udfs.shard;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.store.ImageStore;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.commons.codec.digest.DigestUtils;

/**
 * Packs staged images into shards, with one image in memory at a time. The name of a shard
 * identifies its content: attempts that pack the same images write the same bytes to the same name;
 * attempts that pack other images write to another name.
 */
public record ShardPacker(ImageStore store, ShardFormat format) {

  /** The directory of all shards below an output. */
  public static final String DIRECTORY = "shards";

  private static final int HASH_DIGITS = 16;

  /** The key of the directory of one run's shards. */
  public static String directory(String runId) {
    return DIRECTORY + "/run_id=" + runId;
  }

  /**
   * Packs images into one shard, sorted by member.
   *
   * @param prefix of its key, below {@value #DIRECTORY}
   * @param images with different members, at least one
   * @throws LightmillException (STORE_FAILED) if a staged image is missing or has changed, or the
   *     shard cannot be stored; no part of the shard remains
   */
  public PackedShard pack(String prefix, List<ShardImage> images) {
    List<ShardImage> sorted =
        images.stream().sorted(Comparator.comparing(ShardImage::member)).toList();
    String key = "%s-%s.%s".formatted(prefix, hash(sorted), format.extension());
    Map<String, Long> offsets = new HashMap<>();
    long bytes = store.create(key, out -> write(sorted, out, offsets), format.contentType());
    return new PackedShard(key, bytes, Map.copyOf(offsets));
  }

  private void write(List<ShardImage> images, OutputStream out, Map<String, Long> offsets)
      throws IOException {
    try (ShardWriter shard = format.writer(out)) {
      for (ShardImage image : images) {
        shard.add(image, staged(image)).ifPresent(offset -> offsets.put(image.member(), offset));
      }
    }
  }

  private byte[] staged(ShardImage image) {
    return store
        .read(image.staged())
        .filter(bytes -> DigestUtils.sha256Hex(bytes).equals(image.sha256()))
        .orElseThrow(
            () ->
                new LightmillException(
                    ErrorCode.STORE_FAILED,
                    "staged image '%s' is missing or has changed; keep other programs out of '%s' below the output and run again"
                        .formatted(image.staged(), StagedImages.DIRECTORY)));
  }

  private static String hash(List<ShardImage> images) {
    StringBuilder content = new StringBuilder();
    for (ShardImage image : images) {
      content.append(image.member()).append('\0').append(image.sha256()).append('\0');
      content.append(image.row().json()).append('\0');
    }
    return DigestUtils.sha256Hex(content.toString()).substring(0, HASH_DIGITS);
  }
}
