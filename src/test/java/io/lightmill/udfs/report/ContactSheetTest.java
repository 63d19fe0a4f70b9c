package io.lightmill.udfs.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.image.Pictures;
import io.lightmill.pipeline.image.Pixels;
import io.lightmill.udfs.ImageStatus;
import java.awt.image.BufferedImage;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ContactSheetTest {

  private static final int RED = 0xff0000;
  private static final int BLUE = 0x0000ff;

  @ParameterizedTest
  @CsvSource({"1,4", "16,4", "17,5", "25,5", "26,6", "64,8", "65,8", "200,8"})
  void columnsGrowWithTheNumberOfTiles(int tiles, int columns) {
    assertThat(ContactSheet.columns(tiles)).isEqualTo(columns);
  }

  @Test
  void theLargestSheetIsOfModestSize() {
    List<Tile> tiles =
        Collections.nCopies(ContactSheet.MAX_TILES, new Tile.Image(Pictures.plain(8, 8, RED)));
    RgbImage sheet = ContactSheet.draw(tiles);

    assertThat((long) sheet.width() * sheet.height()).isLessThan(20_000_000);
  }

  @Test
  void picturesAppearInOrderInFullAndInTheirProportions() {
    RgbImage sheet =
        ContactSheet.draw(
            List.of(
                new Tile.Image(Pictures.plain(1024, 512, RED)),
                new Tile.Image(Pictures.plain(300, 1200, BLUE))));

    Box red = box(sheet, RED);
    Box blue = box(sheet, BLUE);
    assertThat(red.width).isEqualTo(2 * red.height).isGreaterThan(200);
    assertThat(blue.height).isEqualTo(4 * blue.width).isEqualTo(red.width);
    assertThat(red.pixels).isEqualTo(red.width * red.height);
    assertThat(blue.pixels).isEqualTo(blue.width * blue.height);
    assertThat(red.left + red.width).isLessThan(blue.left);
  }

  @ParameterizedTest
  @CsvSource({"8,128", "128,128", "129,129", "200,200", "224,224", "1024,224"})
  void thePicturesFillFramesOfTheLargestOfThem(int side, int frame) {
    RgbImage sheet =
        ContactSheet.draw(
            List.of(
                new Tile.Image(Pictures.plain(side, side / 2, RED)),
                new Tile.Image(Pictures.plain(2, 2, BLUE)),
                new Tile.Empty(FrameMark.FAILED)));

    assertThat(box(sheet, RED).width).isEqualTo(frame);
    assertThat(box(sheet, BLUE).width).isEqualTo(frame);
  }

  @Test
  void aPictureAsLargeAsItsFrameAppearsPixelByPixel() {
    RgbImage picture = Pictures.noise(160, 160);
    RgbImage sheet = ContactSheet.draw(List.of(new Tile.Image(picture)));
    BufferedImage all = Pixels.view(sheet);

    int left = 50;
    int top = 66; // below the edge of the strip
    assertThat(Pixels.copy(all.getSubimage(left, top, 160, 160)).rgb()).isEqualTo(picture.rgb());
  }

  @Test
  void everyMarkLooksUnlikeTheOthersAndUnlikeAPicture() {
    List<RgbImage> sheets =
        Stream.concat(
                Arrays.stream(FrameMark.values()).map(Tile.Empty::new),
                Stream.of(new Tile.Image(Pictures.plain(8, 8, 0))))
            .map(tile -> ContactSheet.draw(List.<Tile>of(tile)))
            .toList();

    for (int i = 0; i < sheets.size(); i++) {
      for (int j = 0; j < i; j++) {
        assertThat(differences(sheets.get(i), sheets.get(j))).isGreaterThan(1000);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 201})
  void aSheetHasOneToTwoHundredTiles(int tiles) {
    List<Tile> many = Collections.nCopies(tiles, new Tile.Empty(FrameMark.FAILED));

    assertThatThrownBy(() -> ContactSheet.draw(many)).hasMessageContaining(tiles + " tiles");
  }

  @Test
  void statusesOfTheManifestHaveTheirMarks() {
    assertThat(
            Stream.of(ImageStatus.INVALID, ImageStatus.FAILED, ImageStatus.PENDING)
                .map(FrameMark::of))
        .containsExactly(FrameMark.INVALID, FrameMark.FAILED, FrameMark.FAILED);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 7, 199})
  void samplesAreEvenAndHoldBothEnds(int most) {
    List<Integer> items = IntStream.range(0, 10_000).boxed().toList();
    List<Integer> sample = EvenSample.of(items, most);

    assertThat(sample).hasSize(most).startsWith(0).endsWith(9_999);
    double step = 9_999.0 / (most - 1);
    for (int i = 1; i < most; i++) {
      assertThat(sample.get(i) - sample.get(i - 1)).isBetween((int) step, (int) step + 1);
    }
  }

  @Test
  void fewItemsAreAllTaken() {
    assertThat(EvenSample.of(List.of(1, 2, 3), 3)).containsExactly(1, 2, 3);
    assertThat(EvenSample.of(List.of(), 2)).isEmpty();
  }

  private static int differences(RgbImage first, RgbImage second) {
    int count = 0;
    for (int i = 0; i < first.rgb().length; i++) {
      count += first.rgb()[i] == second.rgb()[i] ? 0 : 1;
    }
    return count;
  }

  private record Box(int left, int width, int height, int pixels) {}

  /** What surrounds all pixels of exactly one colour. */
  private static Box box(RgbImage sheet, int colour) {
    int left = Integer.MAX_VALUE;
    int top = Integer.MAX_VALUE;
    int right = -1;
    int bottom = -1;
    int pixels = 0;
    for (int y = 0; y < sheet.height(); y++) {
      for (int x = 0; x < sheet.width(); x++) {
        if (colourAt(sheet, x, y) == colour) {
          left = Math.min(left, x);
          right = Math.max(right, x);
          top = Math.min(top, y);
          bottom = Math.max(bottom, y);
          pixels++;
        }
      }
    }
    return new Box(left, right - left + 1, bottom - top + 1, pixels);
  }

  private static int colourAt(RgbImage sheet, int x, int y) {
    int i = 3 * (y * sheet.width() + x);
    byte[] rgb = sheet.rgb();
    return (rgb[i] & 0xff) << 16 | (rgb[i + 1] & 0xff) << 8 | (rgb[i + 2] & 0xff);
  }
}
