package io.lightmill.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lightmill.udfs.ImageGeneration;
import io.lightmill.udfs.TestSpark;
import io.lightmill.udfs.option.Redaction;
import io.lightmill.udfs.shard.PackedShard;
import io.lightmill.udfs.shard.ShardFormat;
import io.lightmill.udfs.shard.ShardImage;
import io.lightmill.udfs.shard.ShardPacker;
import io.lightmill.udfs.store.ImageStore;
import java.awt.image.BufferedImage;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class FinishedRunTest {

  private static final Instant STARTED = Instant.parse("2026-03-04T05:06:07Z");

  private final SparkSession spark = TestSpark.session();
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @TempDir Path output;
  private ImageGeneration.Result result;

  @BeforeEach
  void draw() throws IOException {
    picture("red.png", 0xff0000);
    picture("blue.png", 0x0000ff);
    result =
        new ImageGeneration.Result(
            TestManifest.of(
                List.of(
                    TestManifest.generated("2", "images/blue.png"),
                    TestManifest.generated("1", "images/red.png"),
                    TestManifest.refused(
                        "3", "invalid", "PROMPT_MISSING", "Row 3 has no <prompt>."))),
            Map.of("generated", 2L, "invalid", 1L),
            "ab12cd",
            0.5,
            0.25,
            4,
            3.25);
  }

  @Test
  void theRunRecordHoldsWhatWasAskedAndWhatCameOfIt() throws IOException {
    leaveBehind(
        "--column=id=sku",
        "--conf=spark.hadoop.fs.s3a.secret.key=hidden",
        "--checkpoint=https://me:hidden@host/model");

    Path file = output.resolve("runs/first.json");
    assertThat(Files.readString(file)).doesNotContain("hidden");
    JsonNode record = new ObjectMapper().readTree(file.toFile());
    assertThat(record.properties().stream().map(Map.Entry::getKey))
        .containsExactly(
            "run_id",
            "started_at",
            "ended_at",
            "asked",
            "checkpoint",
            "images",
            "seconds",
            "images_per_second",
            "spark",
            "versions");
    assertThat(record.at("/run_id").asText()).isEqualTo("first");
    assertThat(record.at("/started_at").asText()).isEqualTo("2026-03-04T05:06:07Z");
    assertThat(record.at("/ended_at").asText()).isEqualTo("2026-03-04T05:06:13.500Z");
    assertThat(record.at("/asked/input").asText()).isEqualTo("prompts.csv");
    assertThat(record.at("/asked/column/id").asText()).isEqualTo("sku");
    assertThat(record.at("/asked/conf/spark.hadoop.fs.s3a.secret.key").asText())
        .isEqualTo(Redaction.REDACTED);
    assertThat(record.at("/checkpoint/location").asText()).isEqualTo("https://host/model");
    assertThat(record.at("/checkpoint/digest").asText()).isEqualTo("ab12cd");
    assertThat(record.at("/images").toString()).isEqualTo("{\"generated\":2,\"invalid\":1}");
    assertThat(record.at("/seconds").toString())
        .isEqualTo(
            "{\"start\":1.25,\"plan\":0.5,\"load\":0.25,\"generate\":4.0,\"engine\":3.25,\"total\":6.5}");
    assertThat(record.at("/images_per_second").asDouble()).isEqualTo(0.5);
    assertThat(record.at("/spark/version").asText()).isEqualTo(spark.version());
    assertThat(record.at("/spark/master").asText()).isEqualTo(spark.sparkContext().master());
    assertThat(record.at("/spark/hosts").asInt()).isEqualTo(1);
    assertThat(record.at("/spark/conf/spark.master").asText())
        .isEqualTo(spark.sparkContext().master());
    assertThat(record.at("/versions/java").asText()).isEqualTo(Runtime.version().toString());
    for (String part : List.of("lightmill", "djl", "libtorch")) {
      assertThat(record.at("/versions/" + part).asText()).as(part).matches("\\d+\\.\\d+\\.\\d+.*");
    }
  }

  @Test
  void theContactSheetShowsTheStoredPicturesInTheOrderOfTheIds() throws IOException {
    leaveBehind();

    BufferedImage sheet = ImageIO.read(output.resolve("contact-sheet.png").toFile());
    int red = leftmost(sheet, 0xff0000);
    int blue = leftmost(sheet, 0x0000ff);
    assertThat(red).isBetween(0, blue - 1);

    String page = Files.readString(output.resolve("contact-sheet.html"));
    assertThat(page)
        .containsSubsequence(
            "first", "builtin:pocket", "images/red.png", "images/blue.png", "no &lt;prompt&gt;");
  }

  @ParameterizedTest
  @EnumSource
  void aPackedPictureIsShownOutOfItsShard(ShardFormat format) throws IOException {
    ImageStore store = ImageStore.open(output.toString(), new Configuration(false));
    byte[] picture = Files.readAllBytes(output.resolve("images/red.png"));
    store.put("staged/ab/abcd.png", picture, "image/png");
    PackedShard shard =
        new ShardPacker(store, format)
            .pack(
                "shards/run_id=first/part",
                List.of(
                    new ShardImage(
                        "staged/ab/abcd.png",
                        "red.png",
                        picture.length,
                        DigestUtils.sha256Hex(picture),
                        new ShardImage.Row("1", 0, "abcd", "a mug", 64, 48, 5, "{}"))));
    result =
        result(
            List.of(
                TestManifest.generated(
                    "1", shard.key(), "red.png", shard.offsets().get("red.png"), picture.length)));

    leaveBehind();

    BufferedImage sheet = ImageIO.read(output.resolve("contact-sheet.png").toFile());
    assertThat(leftmost(sheet, 0xff0000)).isNotNegative();
    assertThat(Files.readString(output.resolve("contact-sheet.html")))
        .contains("href=\"./" + shard.key(), "<img src=\"data:image/jpeg;base64,/9j/");
  }

  @Test
  void theSummarySaysWhereEverythingIs() {
    leaveBehind();
    assertThat(out.toString().lines())
        .containsExactly(
            "3 images in 4.0 s: 2 generated (0.5/s), 1 invalid",
            "  row 3 invalid, PROMPT_MISSING: Row 3 has no <prompt>.",
            "  manifest       " + output + "/manifest/run_id=first",
            "  run record     " + output + "/runs/first.json",
            "  contact sheet  " + output + "/contact-sheet.html",
            "                 " + output + "/contact-sheet.png");
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void aPictureThatIsGoneOrDamagedIsAnEmptyFrame() throws IOException {
    Files.delete(output.resolve("images/red.png"));
    Files.write(output.resolve("images/blue.png"), new byte[] {1, 2, 3});
    leaveBehind();
    BufferedImage sheet = ImageIO.read(output.resolve("contact-sheet.png").toFile());
    assertThat(leftmost(sheet, 0xff0000)).isEqualTo(-1);
    assertThat(leftmost(sheet, 0x0000ff)).isEqualTo(-1);
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void aContactSheetThatCannotBeDrawnIsSaidAndChangesNothing() {
    result = result(List.of(TestManifest.generated("1", "../elsewhere/red.png")));
    leaveBehind();
    assertThat(err.toString())
        .startsWith("lightmill: The contact sheet could not be drawn: ")
        .contains("../elsewhere/red.png");
    assertThat(out.toString()).contains("run record").doesNotContain("contact sheet");
    assertThat(output.resolve("runs/first.json")).exists();
  }

  private static ImageGeneration.Result result(List<Row> rows) {
    return new ImageGeneration.Result(
        TestManifest.of(rows),
        Map.of("generated", (long) rows.size()),
        "ab12cd",
        0.5,
        0.25,
        4,
        3.25);
  }

  private void leaveBehind(String... options) {
    String[] all = new String[options.length + 3];
    System.arraycopy(options, 0, all, 0, options.length);
    all[options.length] = "--input=prompts.csv";
    all[options.length + 1] = "--output=" + output;
    all[options.length + 2] = "--run-id=first";
    ParsedGenerate parsed = ParsedGenerate.of(all);
    new FinishedRun(
            parsed.settings(),
            parsed.asked(),
            result,
            STARTED,
            STARTED.plusMillis(1250),
            STARTED.plusMillis(6500))
        .leaveBehind(spark, new PrintWriter(out, true), new PrintWriter(err, true));
  }

  private void picture(String name, int rgb) throws IOException {
    BufferedImage image = new BufferedImage(64, 48, BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < 48; y++) {
      for (int x = 0; x < 64; x++) {
        image.setRGB(x, y, rgb);
      }
    }
    File file = output.resolve("images/" + name).toFile();
    Files.createDirectories(file.getParentFile().toPath());
    ImageIO.write(image, "png", file);
  }

  private static int leftmost(BufferedImage sheet, int rgb) {
    for (int x = 0; x < sheet.getWidth(); x++) {
      for (int y = 0; y < sheet.getHeight(); y++) {
        if ((sheet.getRGB(x, y) & 0xffffff) == rgb) {
          return x;
        }
      }
    }
    return -1;
  }
}
