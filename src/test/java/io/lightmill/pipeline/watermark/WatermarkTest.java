package io.lightmill.pipeline.watermark;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.image.FileFormat;
import io.lightmill.pipeline.image.ImageDecoder;
import io.lightmill.pipeline.image.ImageEncoder;
import io.lightmill.pipeline.image.ImageFormat;
import io.lightmill.pipeline.image.ImageLabels;
import io.lightmill.pipeline.image.Pictures;
import io.lightmill.pipeline.image.Pixels;
import io.lightmill.pipeline.image.Receipts;
import java.awt.image.BufferedImage;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class WatermarkTest {

  private static final Watermark MARK = new Watermark("Example Inc.");

  /** Smooth shapes, edges and fine texture, as pictures have them. */
  private static RgbImage picture(int width, int height, int seed) {
    Random random = new Random(seed);
    double[][] waves = new double[12][];
    for (int i = 0; i < waves.length; i++) {
      double length = 6 * Math.pow(1.4, i);
      double angle = random.nextDouble() * Math.PI;
      waves[i] =
          new double[] {
            Math.cos(angle) / length, Math.sin(angle) / length, random.nextDouble() * 6, length / 8
          };
    }
    byte[] rgb = new byte[width * height * 3];
    for (int i = 0; i < width * height; i++) {
      double value = 128 + 4 * random.nextGaussian();
      for (double[] wave : waves) {
        value +=
            wave[3]
                * Math.sin(
                    2 * Math.PI * (wave[0] * (i % width) + wave[1] * Math.floorDiv(i, width))
                        + wave[2]);
      }
      value += i % width > width / 3 && i / width > height / 2 ? 40 : 0;
      for (int channel = 0; channel < 3; channel++) {
        rgb[3 * i + channel] = (byte) Math.max(0, Math.min(255, value + 10 * channel));
      }
    }
    return new RgbImage(width, height, rgb);
  }

  private static boolean found(RgbImage image) {
    return MARK.detect(image).found();
  }

  private static RgbImage crop(RgbImage image, int left, int top, int width, int height) {
    return Pixels.copy(Pixels.view(image).getSubimage(left, top, width, height));
  }

  private static RgbImage half(RgbImage image) {
    BufferedImage pixels = Pixels.view(image);
    byte[] rgb = new byte[(image.width() / 2) * (image.height() / 2) * 3];
    for (int y = 0, i = 0; y < image.height() / 2; y++) {
      for (int x = 0; x < image.width() / 2; x++) {
        for (int shift = 16; shift >= 0; shift -= 8) {
          int sum = 0;
          for (int corner = 0; corner < 4; corner++) {
            sum += (pixels.getRGB(2 * x + corner % 2, 2 * y + corner / 2) >> shift) & 0xff;
          }
          rgb[i++] = (byte) (sum / 4);
        }
      }
    }
    return new RgbImage(image.width() / 2, image.height() / 2, rgb);
  }

  private static RgbImage jpeg(RgbImage image, int quality) {
    byte[] file =
        ImageEncoder.encode(
            image, Receipts.of(""), ImageLabels.NONE, new FileFormat(ImageFormat.JPEG, quality));
    return Pixels.copy(ImageDecoder.decode(file).orElseThrow());
  }

  @ParameterizedTest
  @CsvSource({"128,128,1", "200,131,2", "512,384,3"})
  void theMarkSurvivesJpegHalvingACropAndTwoOfThem(int width, int height, int seed) {
    RgbImage marked = MARK.embed(picture(width, height, seed));

    assertThat(found(marked)).isTrue();
    assertThat(found(jpeg(marked, 85))).isTrue();
    assertThat(found(half(marked))).isTrue();
    assertThat(MARK.detect(half(marked)).scale()).isEqualTo(0.5);
    assertThat(found(crop(marked, 9, 5, width * 9 / 10, height * 9 / 10))).isTrue();
    assertThat(found(jpeg(crop(marked, 3, 11, width * 9 / 10, height * 9 / 10), 85))).isTrue();
    assertThat(found(jpeg(half(marked), 85))).isTrue();
  }

  @Test
  void imagesWithoutTheMarkAndOtherKeysAreNotFound() {
    RgbImage image = picture(128, 128, 4);
    RgbImage marked = MARK.embed(image);

    assertThat(found(image)).isFalse();
    assertThat(found(Pictures.noise(128, 128))).isFalse();
    assertThat(found(Pictures.slopes(128, 128))).isFalse();
    WatermarkSearch search = new WatermarkSearch(marked);
    for (int i = 0; i < 200; i++) {
      assertThat(new Watermark("key " + i).detect(search).found()).isFalse();
    }
  }

  @Test
  void theMarkIsSmall() {
    RgbImage image = picture(256, 256, 5);
    RgbImage marked = MARK.embed(image);
    double squares = 0;
    int most = 0;
    for (int i = 0; i < image.rgb().length; i++) {
      int difference = Math.abs((image.rgb()[i] & 0xff) - (marked.rgb()[i] & 0xff));
      squares += difference * difference;
      most = Math.max(most, difference);
    }

    assertThat(most).isLessThanOrEqualTo(7);
    assertThat(10 * Math.log10(255.0 * 255 * image.rgb().length / squares)).isGreaterThan(38);
  }

  @Test
  void aPlainImageChangesByFiveLevelsAtMostAndLosesTheMarkInStrongJpeg() {
    RgbImage marked = MARK.embed(Pictures.plain(128, 128, 0x808080));
    for (byte value : marked.rgb()) {
      assertThat(value & 0xff).isBetween(0x7b, 0x85);
    }

    assertThat(found(marked)).isTrue();
    assertThat(found(jpeg(marked, 10))).isFalse();
  }

  @Test
  void theSameImageAndKeyGiveTheSamePixels() {
    RgbImage image = picture(70, 65, 6);

    assertThat(MARK.embed(image).rgb()).isEqualTo(new Watermark("Example Inc.").embed(image).rgb());
    assertThat(new Watermark("another").embed(image).rgb()).isNotEqualTo(MARK.embed(image).rgb());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 16, 63})
  void imagesSmallerThanATileAreMarkedToo(int side) {
    RgbImage image = Pictures.noise(side, side);

    assertThat(MARK.embed(image).width()).isEqualTo(side);
    assertThat(MARK.detect(image).found()).isFalse();
  }

  @Test
  void fingerprintsTellKeysApart() {
    assertThat(Watermark.fingerprint("a")).matches("[0-9a-f]{8}");
    assertThat(Watermark.fingerprint("a")).isNotEqualTo(Watermark.fingerprint("b"));
  }
}
