package io.lightmill.udfs.report;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.image.ImageEncoder;
import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.store.ImageStore;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.commons.lang3.StringUtils;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * The page of the latest run over an output. Small copies and parameters of few pictures are in the
 * page, those of many in files beside it, in a directory that is named after the run: a page never
 * finds the files of another run.
 */
public final class StoredRunPage {

  public static final String PAGE = "report.html";

  /** Of the files beside the page. */
  static final String DIRECTORY = "report";

  /** Bytes of small copies and parameters that a page itself may have. */
  private static final long MOST_INSIDE = 2 << 20;

  private static final String CALL = "lightmill(";
  private static final String END = ");";
  private static final String SCRIPT = "<script type=\"application/json\" data-chunk=\"";
  private static final String SCRIPT_END = "</script>";

  private final ImageStore output;
  private final RunPage.Facts facts;
  private final PageStatistics statistics;
  private final PagePictures pictures;
  private final List<String> earlier;

  /**
   * Prepares the page.
   *
   * @param rows that the page shows
   * @param all rows of the run in flight
   * @param images of the run that are in this process, by image id
   */
  public StoredRunPage(
      ImageStore output,
      RunPage.Facts facts,
      PageRows rows,
      Dataset<Row> all,
      Map<String, RgbImage> images) {
    this.output = output;
    this.facts = facts;
    this.statistics =
        PageStatistics.of(
            all,
            rows.rows(),
            facts.run().rows(),
            facts.started(),
            facts.started().plus(facts.run().duration()));
    this.earlier = output.listing().children(DIRECTORY);
    Map<String, byte[]> known = lacksThumbnails(rows) ? earlierThumbnails() : Map.of();
    this.pictures =
        new PagePictures(
            rows,
            statistics.reasons().stream().map(PageStatistics.Reason::reason).toList(),
            row -> thumbnail(row, known, images));
  }

  private Map<String, byte[]> earlierThumbnails() {
    return EarlierThumbnails.read(
        output, earlier.stream().flatMap(run -> output.listing().children(run).stream()).toList());
  }

  private static boolean lacksThumbnails(PageRows rows) {
    return rows.rows().stream().anyMatch(row -> PagePictures.hasImage(row) && own(row) == null);
  }

  private static byte[] own(Row row) {
    return Arrays.asList(row.schema().fieldNames()).contains(Manifest.THUMBNAIL)
        ? row.getAs(Manifest.THUMBNAIL)
        : null;
  }

  private static byte[] thumbnail(
      Row row, Map<String, byte[]> earlier, Map<String, RgbImage> images) {
    byte[] own = own(row);
    String id = ManifestColumns.IMAGE_ID.of(row);
    if (own != null || !PagePictures.hasImage(row)) {
      return own;
    }
    RgbImage image = images.get(id);
    byte[] known = earlier.get(id);
    return known == null && image != null ? ImageEncoder.thumbnail(image) : known;
  }

  /** Stores the page in place of that of an earlier run, whose files are deleted. */
  public void store() {
    boolean inside = pictures.bytes() <= MOST_INSIDE;
    String directory = DIRECTORY + "/" + facts.run().runId();
    List<String> chunks =
        inside
            ? IntStream.range(0, pictures.chunks())
                .mapToObj(i -> SCRIPT + i + "\">" + pictures.chunk(i) + SCRIPT_END)
                .toList()
            : List.of();
    if (!inside) {
      IntStream.range(0, pictures.chunks())
          .parallel()
          .forEach(
              i ->
                  output.put(
                      "%s/%s".formatted(directory, file(i)),
                      (CALL + i + "," + pictures.chunk(i) + END).getBytes(US_ASCII),
                      "text/javascript; charset=us-ascii"));
    }
    String page =
        RunPage.render(
            facts,
            statistics,
            pictures,
            inside ? Optional.empty() : Optional.of(directory),
            chunks);
    output.put(PAGE, page.getBytes(UTF_8), "text/html; charset=utf-8");
    earlier.stream()
        .filter(run -> inside || !run.equals(directory))
        .forEach(output.removal()::tree);
    if (inside && !earlier.isEmpty()) {
      output.deleteIfEmpty(DIRECTORY);
    }
  }

  /** The name of a file beside the page; the page composes it too. */
  private static String file(int chunk) {
    return "pictures-%03d.js".formatted(chunk);
  }

  /** The JSON of a chunk that a line of a page or of its files has. */
  static Optional<String> chunk(String line) {
    if (line.startsWith(CALL) && line.endsWith(END)) {
      return Optional.of(
          StringUtils.substringAfter(line.substring(0, line.length() - END.length()), ","));
    }
    return line.startsWith(SCRIPT) && line.endsWith(SCRIPT_END)
        ? Optional.of(
            StringUtils.substringAfter(line.substring(0, line.length() - SCRIPT_END.length()), ">"))
        : Optional.empty();
  }
}
