package io.lightmill.udfs.report;

import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.image.Pixels;
import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.TestSpark;
import io.lightmill.udfs.VerdictCounts;
import io.lightmill.udfs.draw.GenerateImages;
import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.store.ImageStore;
import java.awt.Color;
import java.awt.GradientPaint;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.Ellipse2D;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.expressions.GenericRowWithSchema;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * A run whose images are painted, and its page by the code of runs. Of each 100 rows one failed,
 * two are blocked, one is invalid and ten are flagged.
 */
final class PaintedRun {

  static final Instant STARTED = Instant.parse("2026-05-06T07:08:09Z");

  private static final StructType PASSTHROUGH = new StructType().add("sku", DataTypes.StringType);
  private static final StructType SCHEMA = GenerateImages.schema(PASSTHROUGH);
  private static final double SECONDS = 0.4;
  private static final int SLOTS = 2;

  private static final List<String> ADJECTIVES =
      List.of(
          "red", "teal", "brushed steel", "walnut", "striped", "matte black", "ivory", "folded");
  private static final List<String> THINGS =
      List.of("mug", "desk lamp", "armchair", "rucksack", "teapot", "notebook", "sneaker", "vase");
  private static final List<String> PLACES =
      List.of(
          "a marble counter", "a wooden table", "a plain studio background", "wet cobblestones");

  private final int count;
  private final int side;
  private final PageThumbnails thumbnails;

  /**
   * @param side of the images, in pixels
   */
  PaintedRun(int count, int side) {
    this.count = count;
    this.side = side;
    this.thumbnails = PageThumbnails.of(count);
  }

  Duration duration() {
    return Duration.ofMillis(Math.round(count * SECONDS / SLOTS * 1000) + 20_000);
  }

  Dataset<Row> rows() {
    List<Row> rows = IntStream.range(0, count).parallel().mapToObj(this::row).toList();
    return table(rows);
  }

  static Map<ImageStatus, Long> counts(List<Row> rows) {
    Map<ImageStatus, Long> counts = new EnumMap<>(ImageStatus.class);
    rows.forEach(row -> counts.merge(ImageStatus.labelled(row.getAs("status")), 1L, Long::sum));
    return counts;
  }

  /** Stores the page as a run does. */
  void store(Path output, Dataset<Row> rows, String runId) {
    Map<ImageStatus, Long> counts = counts(rows.collectAsList());
    new StoredRunPage(
            ImageStore.open(output.toString(), new Configuration(false)),
            new RunPage.Facts(
                new RunFacts(
                    runId, "s3a://models/FLUX.1-dev", counts, VerdictCounts.NONE, duration()),
                STARTED,
                SLOTS,
                SLOTS / SECONDS),
            PageRows.of(rows, counts),
            rows,
            Map.of())
        .store();
  }

  static String imageId(int i) {
    return String.format(Locale.ROOT, "%07x%025d", (i * 2_654_435L) & 0xfffffff, i);
  }

  private Row row(int i) {
    Random random = new Random(i * 0x9e3779b97f4a7c15L);
    Map<String, Object> values = new HashMap<>();
    String prompt =
        "a %s %s on %s, soft light from the left, 35mm photograph, shallow depth of field, number %d"
            .formatted(of(ADJECTIVES, random), of(THINGS, random), of(PLACES, random), i);
    values.put("sku", "S-%05d".formatted(i));
    values.put("id", "%05d".formatted(i));
    values.put("variant", 0);
    values.put("prompt", prompt);
    values.put("image_id", imageId(i));
    values.put("seed", Long.MAX_VALUE - i);
    values.put("width", side);
    values.put("height", i % 3 == 0 ? side : side * 3 / 4);
    values.put("num_inference_steps", 28);
    values.put("guidance_scale", 3.5);
    long end = 20_000 + Math.round(i * SECONDS / SLOTS * 1000) + random.nextInt(300);
    values.put("created_at", (STARTED.toEpochMilli() + end) * 1000);
    String status = "generated";
    switch (i % 100) {
      case 13 ->
          status =
              problem(
                  values,
                  "failed",
                  "DEVICE_OUT_OF_MEMORY",
                  "an image of %d × %d pixels needs more memory than cuda:0 has; set a smaller size"
                      .formatted(side, side));
      case 27, 55 -> {
        status =
            problem(
                values, "blocked", "PROMPT_BLOCKED", "prompt is blocked by the policy: violence");
        verdict(values, "blocked", "violence", i % 100 == 27 ? "weapons" : "fighting");
      }
      case 78 ->
          status =
              problem(
                  values,
                  "invalid",
                  "VALUE_INVALID",
                  "width 1000000 of row '%05d' is not in 64 to 2048; give a smaller one"
                      .formatted(i));
      case 3, 14, 31, 42, 53, 64, 75, 81, 92, 97 -> verdict(values, "flagged", "brand", "logo");
      default -> {}
    }
    values.put("status", status);
    if (status.equals("generated")) {
      values.put("path", "images/%s.png".formatted(imageId(i)));
      values.put("bytes", 1_500_000L);
      values.put("device", "cuda:" + i % SLOTS);
      values.put("generate_ms", SECONDS * 1000);
      values.put("encode_prompt_ms", 18.0);
      values.put("denoise_ms", 340.0);
      values.put("decode_ms", 31.0);
      values.put("encode_ms", 52.0);
      values.put("store_ms", 23.0);
      thumbnails.of(imageId(i), image(i)).ifPresent(file -> values.put(Manifest.THUMBNAIL, file));
    }
    return row(values);
  }

  /** A row of the manifest in flight with these values; the others are null. */
  static Row row(Map<String, Object> values) {
    Object[] row = Arrays.stream(SCHEMA.fieldNames()).map(values::get).toArray();
    return new GenericRowWithSchema(row, SCHEMA);
  }

  /** A row whose prompt a rule blocks. */
  static Row blocked(int i, String rule) {
    Map<String, Object> values = new HashMap<>();
    values.put("id", Integer.toString(i));
    values.put("variant", 0);
    values.put("created_at", STARTED.toEpochMilli() * 1000);
    values.put("status", problem(values, "blocked", "PROMPT_BLOCKED", "prompt is blocked"));
    verdict(values, "blocked", "category", rule);
    return row(values);
  }

  static Dataset<Row> table(List<Row> rows) {
    return TestSpark.session().createDataFrame(rows, SCHEMA);
  }

  private static String problem(
      Map<String, Object> values, String status, String code, String message) {
    values.put("error_code", code);
    values.put("error_message", message);
    return status;
  }

  private static void verdict(
      Map<String, Object> values, String verdict, String category, String rule) {
    values.put("verdict", verdict);
    values.put("verdict_category", category);
    values.put("verdict_rule", rule);
  }

  private static String of(List<String> words, Random random) {
    return words.get(random.nextInt(words.size()));
  }

  /** Shapes, gradients and grain, so that its file has about the size of a photograph's. */
  RgbImage image(int i) {
    Random random = new Random(i * 0x9e3779b97f4a7c15L);
    int height = i % 3 == 0 ? side : side * 3 / 4;
    BufferedImage image = new BufferedImage(side, height, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = image.createGraphics();
    graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    float hue = random.nextFloat();
    graphics.setPaint(
        new GradientPaint(
            0,
            0,
            Color.getHSBColor(hue, 0.25f, 0.95f),
            side,
            height,
            Color.getHSBColor(hue + 0.1f, 0.5f, 0.45f)));
    graphics.fillRect(0, 0, side, height);
    for (int shape = 0; shape < 14; shape++) {
      double size = side * (0.08 + 0.3 * random.nextDouble());
      graphics.setPaint(
          new GradientPaint(
              0,
              0,
              Color.getHSBColor(random.nextFloat(), 0.6f, 0.9f),
              (float) size,
              (float) size,
              Color.getHSBColor(random.nextFloat(), 0.7f, 0.3f),
              true));
      graphics.fill(
          new Ellipse2D.Double(
              random.nextDouble() * side - size / 2,
              random.nextDouble() * height - size / 2,
              size,
              size * (0.4 + random.nextDouble())));
    }
    graphics.dispose();
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < side; x++) {
        int grain = random.nextInt(17) - 8;
        int rgb = image.getRGB(x, y);
        image.setRGB(
            x,
            y,
            grained(rgb >> 16, grain) << 16 | grained(rgb >> 8, grain) << 8 | grained(rgb, grain));
      }
    }
    return Pixels.copy(image);
  }

  private static int grained(int channel, int grain) {
    return Math.max(0, Math.min(255, (channel & 255) + grain));
  }
}
