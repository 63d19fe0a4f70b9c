package io.lightmill.udfs.manifest;

import org.apache.spark.sql.Row;

/**
 * An image that stands in the store.
 *
 * @param path key below the output of its object, or of the shard that holds it
 * @param member its name in the shard; null for an object of its own
 * @param memberOffset of its first byte in the shard; null where it does not stand in one piece
 * @param shardBytes length of the shard; null for an object of its own, and as long as it is staged
 * @param bytes of the image
 * @param sha256 of the image, in lower-case hex
 */
public record StoredImage(
    String path, String member, Long memberOffset, Long shardBytes, long bytes, String sha256) {

  /** An object of its own. */
  public static StoredImage object(String path, long bytes, String sha256) {
    return new StoredImage(path, null, null, null, bytes, sha256);
  }

  /** An object that waits to be packed. */
  public static StoredImage staged(String path, String member, long bytes, String sha256) {
    return new StoredImage(path, member, null, null, bytes, sha256);
  }

  /**
   * As a manifest has it.
   *
   * @param row with the columns of the manifest
   */
  public static StoredImage read(Row row) {
    return new StoredImage(
        row.getAs("path"),
        row.getAs("member"),
        row.getAs("member_offset"),
        row.getAs("shard_bytes"),
        row.<Long>getAs("bytes"),
        row.getAs("sha256"));
  }
}
