package io.lightmill.udfs.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.image.ImageEncoder;
import io.lightmill.pipeline.image.ImageFormat;
import io.lightmill.pipeline.image.Pictures;
import io.lightmill.pipeline.image.Receipts;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ThumbnailTest {

  @ParameterizedTest
  @CsvSource({"1000,500,100,50", "500,1000,50,100", "3000,1,100,1", "100,100,100,100", "9,7,9,7"})
  void fitsInTheProportionsOfThePicture(int width, int height, int toWidth, int toHeight) {
    RgbImage small = Thumbnail.of(Pictures.plain(width, height, 0x336699), 100);

    assertThat(small)
        .extracting(RgbImage::width, RgbImage::height)
        .containsExactly(toWidth, toHeight);
    assertThat(small.rgb()).isEqualTo(Pictures.plain(toWidth, toHeight, 0x336699).rgb());
  }

  @Test
  void everyPixelCounts() {
    RgbImage stripes = Pictures.plain(800, 800, 0);
    for (int i = 0; i < stripes.rgb().length; i++) {
      stripes.rgb()[i] = (byte) (i / 3 % 2 == 0 ? 200 : 0); // columns of one pixel
    }
    RgbImage small = Thumbnail.of(stripes, 100);

    for (byte b : small.rgb()) {
      assertThat(b & 0xff).isBetween(90, 110);
    }
  }

  @Test
  void readsImageObjects() {
    RgbImage picture = Pictures.noise(40, 30);
    byte[] png = ImageEncoder.encode(picture, Receipts.of("a mug"), ImageFormat.PNG);

    assertThat(Thumbnail.read(png, 64))
        .hasValueSatisfying(small -> assertThat(small.rgb()).isEqualTo(picture.rgb()));
    assertThat(Thumbnail.read(Arrays.copyOf(png, png.length / 2), 64)).isEmpty();
    assertThat(Thumbnail.read("no picture".getBytes(StandardCharsets.UTF_8), 64)).isEmpty();
  }
}
