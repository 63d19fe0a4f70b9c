package io.lightmill.udfs.shard;

/**
 * An image that is to be packed.
 *
 * @param staged key of the object that holds it now
 * @param member its name in the shard, with an extension
 * @param bytes of the image
 * @param sha256 of the image, in lower-case hex
 * @param row what the table and the run say of it
 */
public record ShardImage(String staged, String member, long bytes, String sha256, Row row) {

  /**
   * A row of a table, and the image that it asks for.
   *
   * @param json all of it; decides the other components
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
