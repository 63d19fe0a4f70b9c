package io.lightmill.udfs.report;

import static org.apache.spark.sql.functions.conv;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.pmod;

import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.image.ImageEncoder;
import io.lightmill.udfs.draw.Thumbnails;
import io.lightmill.udfs.manifest.ManifestColumns;
import java.util.Optional;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.types.DataTypes;

/**
 * The small copies of images that the pages of a run show. Of a run with more rows than its page
 * has, every n-th image gets one, chosen by its id: ids are hashes, so these are spread evenly.
 *
 * @param oneOf n, 1 for all images
 * @param side maximum width and height, in pixels
 */
public record PageThumbnails(long oneOf, int side) implements Thumbnails {

  /** So many fit on a contact sheet, whose frames are {@link #LARGE}. */
  private static final long FEW = ContactSheet.MAX_TILES;

  private static final int LARGE = 256;
  private static final int SMALL = 160;

  /** Of an image id, so that its value is an int without a sign. */
  private static final int DIGITS = 7;

  /**
   * The copies for a run.
   *
   * @param rows that it will have in its manifest
   */
  public static PageThumbnails of(long rows) {
    return new PageThumbnails(
        (Math.max(1, rows) - 1) / PageRows.MOST + 1, rows <= FEW ? LARGE : SMALL);
  }

  @Override
  public Optional<byte[]> of(String imageId, RgbImage image) {
    return chosen(imageId)
        ? Optional.of(ImageEncoder.thumbnail(Thumbnail.of(image, side)))
        : Optional.empty();
  }

  boolean chosen(String imageId) {
    return Integer.parseInt(imageId.substring(0, DIGITS), 16) % oneOf == 0;
  }

  /** The same as a condition on the rows of a manifest. */
  Column chosen() {
    Column number =
        conv(ManifestColumns.IMAGE_ID.col().substr(1, DIGITS), 16, 10).cast(DataTypes.LongType);
    return pmod(number, lit(oneOf)).equalTo(0);
  }
}
