package io.lightmill.udfs.shard;

/**
 * An image to be packed.
 *
 * @param staged key of the staged object
 * @param member its name in the shard, with an extension
 * @param bytes of the image
 * @param sha256 of the image, in lower-case hex
 * @param row its row
 */
public record ShardImage(String staged, String member, long bytes, String sha256, Row row) {

  /**
   * The row of an image.
   *
   * @param json all columns, including those in the other components
   */
  public record Row(
      String id,
      int variant,
      String imageId,
      String prompt,
      int width,
      int height,
      long seed,
      String json) {}
}
