package io.lightmill.udfs.report;

import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.Verdict;
import io.lightmill.pipeline.image.ImageEncoder;
import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.VerdictCounts;
import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.shard.ImagePlace;
import io.lightmill.udfs.shard.PlacedImages;
import io.lightmill.udfs.store.ImageStore;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.sql.Row;

/**
 * The contact sheet of a finished run, as a PNG and as an HTML page in the output. It shows the
 * latest run over the output.
 */
public record RunContactSheet(ImageStore output, List<Row> rows) {

  public static final String IMAGE = "contact-sheet.png";
  public static final String PAGE = "contact-sheet.html";

  /** In pixels; frames of the sheet are smaller. */
  private static final int THUMBNAIL = 256;

  /**
   * Draws the stored images and replaces the sheet of an earlier run.
   *
   * @return small copies of the images that are shown, by image id
   */
  public Map<String, RgbImage> store(RunFacts run) {
    List<Optional<RgbImage>> images = rows.parallelStream().map(this::image).toList();
    List<Tile> tiles = new ArrayList<>();
    List<Card> cards = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      tiles.add(tile(rows.get(i), images.get(i)));
      cards.add(card(rows.get(i), images.get(i)));
    }
    output.put(IMAGE, ImageEncoder.png(ContactSheet.draw(tiles)), "image/png");
    String page = ContactSheetPage.render(run, cards);
    output.put(PAGE, page.getBytes(StandardCharsets.UTF_8), "text/html; charset=utf-8");
    Map<String, RgbImage> shown = new HashMap<>();
    for (int i = 0; i < rows.size(); i++) {
      String id = rows.get(i).getAs("image_id");
      images.get(i).ifPresent(image -> shown.put(id, image));
    }
    return shown;
  }

  private Optional<RgbImage> image(Row row) {
    return thumbnail(row).or(() -> stored(row));
  }

  /** The small copy that the run has made, if it is as large as a frame. */
  private static Optional<RgbImage> thumbnail(Row row) {
    boolean made = Arrays.asList(row.schema().fieldNames()).contains(Manifest.THUMBNAIL);
    return (made
            ? RunContactSheet.<byte[]>value(row, Manifest.THUMBNAIL)
            : Optional.<byte[]>empty())
        .flatMap(file -> Thumbnail.read(file, THUMBNAIL))
        .filter(
            image ->
                Math.max(image.width(), image.height())
                    >= Math.min(
                        ContactSheet.MAX_FRAME,
                        Math.max(row.<Integer>getAs("width"), row.<Integer>getAs("height"))));
  }

  private Optional<RgbImage> stored(Row row) {
    return RunContactSheet.<String>value(row, "path")
        .map(
            path ->
                new ImagePlace(
                    path, value(row, "member"), value(row, "member_offset"), row.getAs("bytes")))
        .flatMap(new PlacedImages(output)::read)
        .flatMap(object -> Thumbnail.read(object, THUMBNAIL));
  }

  private static Tile tile(Row row, Optional<RgbImage> image) {
    return image.isPresent()
        ? new Tile.Image(image.get())
        : new Tile.Empty(FrameMark.of(status(row)));
  }

  /** A browser can show an image that is an object; of an image in a shard it gets a copy. */
  private static Card card(Row row, Optional<RgbImage> image) {
    Optional<Integer> width = value(row, "width");
    Optional<Integer> height = value(row, "height");
    Optional<String> member = value(row, "member");
    return new Card(
        RunContactSheet.<String>value(row, "id").orElse(""),
        RunContactSheet.<Integer>value(row, "variant").orElse(0),
        value(row, "image_id"),
        status(row),
        value(row, "error_message"),
        flag(row),
        value(row, "path"),
        member.flatMap(packed -> image).map(RunContactSheet::embedded),
        value(row, "prompt"),
        value(row, "seed"),
        width.flatMap(w -> height.map(h -> new Card.Size(w, h))));
  }

  private static Optional<String> flag(Row row) {
    return RunContactSheet.<String>value(row, "verdict")
        .filter(VerdictCounts.verdictOf(Verdict.Action.FLAG)::equals)
        .map(
            flagged ->
                "%s: %s '%s'"
                    .formatted(flagged, row.getAs("verdict_category"), row.getAs("verdict_rule")));
  }

  private static String embedded(RgbImage image) {
    return "data:image/jpeg;base64," + Base64.getEncoder().encodeToString(ImageEncoder.jpeg(image));
  }

  private static ImageStatus status(Row row) {
    return ImageStatus.labelled(row.getAs("status"));
  }

  private static <T> Optional<T> value(Row row, String column) {
    return Optional.ofNullable(row.<T>getAs(column));
  }
}
