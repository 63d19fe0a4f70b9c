package io.lightmill.udfs.manifest;

import org.apache.spark.sql.Row;

/**
 * An image in the store.
 *
 * @param path key below the output of its object, or of the shard that holds it
 * @param member its name in the shard; null for an object of its own
 * @param memberOffset of its first byte in the shard; null if it is not stored in one piece
 * @param shardBytes length of the shard; null for an object of its own and for a staged image
 * @param bytes of the image
 * @param sha256 of the image, in lower-case hex
 * @param blank whether all its pixels are equal; null if only its file is known
 */
public record StoredImage(
    String path,
    String member,
    Long memberOffset,
    Long shardBytes,
    long bytes,
    String sha256,
    Boolean blank) {

  /** An object of its own. */
  public static StoredImage object(String path, long bytes, String sha256, Boolean blank) {
    return new StoredImage(path, null, null, null, bytes, sha256, blank);
  }

  /** An object that is to be packed. */
  public static StoredImage staged(
      String path, String member, long bytes, String sha256, Boolean blank) {
    return new StoredImage(path, member, null, null, bytes, sha256, blank);
  }

  /**
   * The image of a manifest row.
   *
   * @param row with the columns of the manifest that say where the image is
   */
  public static StoredImage read(Row row) {
    return new StoredImage(
        ManifestColumns.PATH.of(row),
        ManifestColumns.MEMBER.of(row),
        ManifestColumns.MEMBER_OFFSET.of(row),
        ManifestColumns.SHARD_BYTES.of(row),
        ManifestColumns.BYTES.<Long>of(row),
        ManifestColumns.SHA256.of(row),
        ManifestColumns.BLANK.of(row));
  }
}
