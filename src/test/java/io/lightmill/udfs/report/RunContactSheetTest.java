package io.lightmill.udfs.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.shard.PackedShard;
import io.lightmill.udfs.shard.ShardFormat;
import io.lightmill.udfs.shard.ShardImage;
import io.lightmill.udfs.shard.ShardPacker;
import io.lightmill.udfs.store.ImageStore;
import java.awt.image.BufferedImage;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RunContactSheetTest {

  private static final List<Row> ROWS =
      List.of(
          TestManifest.generated("2", "images/blue.png"),
          TestManifest.generated("1", "images/red.png"),
          TestManifest.refused("3", "invalid", "PROMPT_MISSING", "Row 3 has no <prompt>."));

  @TempDir Path output;

  @BeforeEach
  void storeImages() throws IOException {
    image("red.png", 0xff0000);
    image("blue.png", 0x0000ff);
  }

  @Test
  void itShowsTheStoredImagesInTheOrderOfTheIds() throws IOException {
    store(ROWS);

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
  void aPackedImageIsReadFromItsShard(ShardFormat format) throws IOException {
    ImageStore store = ImageStore.open(output.toString(), new Configuration(false));
    byte[] image = Files.readAllBytes(output.resolve("images/red.png"));
    store.put("staged/ab/abcd.png", image, "image/png");
    PackedShard shard =
        new ShardPacker(store, format)
            .pack(
                "shards/run_id=first/part",
                List.of(
                    new ShardImage(
                        "staged/ab/abcd.png",
                        "red.png",
                        image.length,
                        DigestUtils.sha256Hex(image),
                        new ShardImage.Row("1", 0, "abcd", "a mug", 64, 48, 5, "{}"))));

    store(
        List.of(
            TestManifest.generated(
                "1", shard.key(), "red.png", shard.offsets().get("red.png"), image.length)));

    BufferedImage sheet = ImageIO.read(output.resolve("contact-sheet.png").toFile());
    assertThat(leftmost(sheet, 0xff0000)).isNotNegative();
    assertThat(Files.readString(output.resolve("contact-sheet.html")))
        .contains("href=\"./" + shard.key(), "<img src=\"data:image/jpeg;base64,/9j/");
  }

  @Test
  void anImageThatIsMissingOrDamagedIsAnEmptyFrame() throws IOException {
    Files.delete(output.resolve("images/red.png"));
    Files.write(output.resolve("images/blue.png"), new byte[] {1, 2, 3});
    store(ROWS);
    BufferedImage sheet = ImageIO.read(output.resolve("contact-sheet.png").toFile());
    assertThat(leftmost(sheet, 0xff0000)).isEqualTo(-1);
    assertThat(leftmost(sheet, 0x0000ff)).isEqualTo(-1);
  }

  private void store(List<Row> rows) {
    List<Row> shown =
        PageRows.of(TestManifest.of(rows), Map.of(ImageStatus.GENERATED, (long) rows.size()))
            .sheet(ContactSheet.MAX_TILES);
    new RunContactSheet(ImageStore.open(output.toString(), new Configuration(false)), shown)
        .store(
            new RunFacts(
                "first",
                "builtin:pocket",
                Map.of(ImageStatus.GENERATED, (long) rows.size()),
                Duration.ofSeconds(4)));
  }

  private void image(String name, int rgb) throws IOException {
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
