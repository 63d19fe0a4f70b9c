package io.lightmill.jobs;

import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.image.Card;
import io.lightmill.pipeline.image.ContactSheet;
import io.lightmill.pipeline.image.ContactSheetPage;
import io.lightmill.pipeline.image.FrameMark;
import io.lightmill.pipeline.image.RunFacts;
import io.lightmill.pipeline.image.Thumbnail;
import io.lightmill.pipeline.image.Tile;
import io.lightmill.pipeline.store.ImageStore;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import javax.imageio.ImageIO;
import org.apache.spark.sql.Row;

/**
 * The contact sheet of a finished run, as a picture and as a page, beside its images. It shows the
 * latest run over an output.
 */
record RunContactSheet(ImageStore output, List<Row> rows) {

  static final String PICTURE = "contact-sheet.png";
  static final String PAGE = "contact-sheet.html";

  /** Frames of the sheet are smaller than this. */
  private static final int THUMBNAIL = 256;

  /** Draws the stored images and replaces the sheet of an earlier run. */
  void store(RunFacts run) {
    List<Tile> tiles = rows.parallelStream().map(this::tile).toList();
    output.put(PICTURE, png(ContactSheet.draw(tiles)), "image/png");
    String page = ContactSheetPage.render(run, rows.stream().map(RunContactSheet::card).toList());
    output.put(PAGE, page.getBytes(StandardCharsets.UTF_8), "text/html; charset=utf-8");
  }

  private Tile tile(Row row) {
    Optional<RgbImage> picture =
        RunContactSheet.<String>value(row, "path")
            .flatMap(output::read)
            .flatMap(object -> Thumbnail.read(object, THUMBNAIL));
    return picture.isPresent()
        ? new Tile.Picture(picture.get())
        : new Tile.Empty(FrameMark.ofStatus(row.getAs("status")));
  }

  private static Card card(Row row) {
    Optional<Integer> width = value(row, "width");
    Optional<Integer> height = value(row, "height");
    return new Card(
        RunContactSheet.<String>value(row, "id").orElse(""),
        RunContactSheet.<Integer>value(row, "variant").orElse(0),
        value(row, "image_id"),
        row.getAs("status"),
        value(row, "error_message"),
        value(row, "path"),
        value(row, "prompt"),
        value(row, "seed"),
        width.flatMap(w -> height.map(h -> new Card.Size(w, h))));
  }

  private static <T> Optional<T> value(Row row, String column) {
    return Optional.ofNullable(row.<T>getAs(column));
  }

  private static byte[] png(RgbImage sheet) {
    BufferedImage picture =
        new BufferedImage(sheet.width(), sheet.height(), BufferedImage.TYPE_INT_RGB);
    byte[] rgb = sheet.rgb();
    for (int y = 0, i = 0; y < sheet.height(); y++) {
      for (int x = 0; x < sheet.width(); x++, i += 3) {
        picture.setRGB(
            x, y, (rgb[i] & 0xff) << 16 | (rgb[i + 1] & 0xff) << 8 | (rgb[i + 2] & 0xff));
      }
    }
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    try {
      ImageIO.write(picture, "png", png);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return png.toByteArray();
  }
}
