package io.lightmill.pipeline.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Small files that declare large images, and files of other formats, are not decoded. */
class ImageDecoderTest {

  private static final int IHDR = 12;

  @ParameterizedTest
  @CsvSource({"100000, 100000", "2147483647, 1", "8192, 4097", "0, 1"})
  void aPngThatDeclaresTooManyPixelsIsNoImage(int width, int height) {
    byte[] png = ImageEncoder.png(Pictures.noise(4, 4));
    assertThat(ImageDecoder.decode(png)).isPresent();
    ByteBuffer bytes = ByteBuffer.wrap(png);
    bytes.putInt(IHDR + 4, width).putInt(IHDR + 8, height);
    CRC32 crc = new CRC32();
    crc.update(png, IHDR, 4 + 13);
    bytes.putInt(IHDR + 4 + 13, (int) crc.getValue());

    assertThat(ImageDecoder.decode(png)).isEmpty();
  }

  @Test
  void aJpegThatDeclaresTooManyPixelsIsNoImage() {
    byte[] jpeg = ImageEncoder.jpeg(Pictures.noise(8, 8));
    assertThat(ImageDecoder.decode(jpeg)).isPresent();
    int frame = 0;
    while ((jpeg[frame] & 0xff) != 0xff || (jpeg[frame + 1] & 0xff) != 0xc0) {
      frame++;
    }
    ByteBuffer.wrap(jpeg).putShort(frame + 5, (short) 65500).putShort(frame + 7, (short) 65500);

    assertThat(ImageDecoder.decode(jpeg)).isEmpty();
  }

  /** The largest WebP has 16,383 × 16,383 pixels. */
  @Test
  void aWebpThatDeclaresTooManyPixelsIsNoImage() {
    byte[] webp =
        ImageEncoder.encode(Pictures.noise(8, 8), Receipts.of("a"), ImageFormat.WEBP);
    byte[] large = webp.clone();
    int vp8l = new String(large, StandardCharsets.ISO_8859_1).indexOf("VP8L");
    for (int i = 0; i < 3; i++) {
      large[vp8l + 9 + i] = (byte) 0xff; // two sizes of 14 bits
    }
    large[vp8l + 12] |= 0x0f;
    int vp8x = new String(large, StandardCharsets.ISO_8859_1).indexOf("VP8X");
    ByteBuffer.wrap(large)
        .put(vp8x + 12, new byte[] {(byte) 0xfe, 0x3f, 0, (byte) 0xfe, 0x3f, 0});

    assertThat(ImageDecoder.decode(webp)).isPresent();
    assertThat(ImageDecoder.decode(large)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"bmp", "gif"})
  void otherFormatsAreNotDecoded(String format) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    ImageIO.write(new BufferedImage(2, 2, BufferedImage.TYPE_INT_RGB), format, bytes);

    assertThat(bytes.size()).isPositive();
    assertThat(ImageDecoder.decode(bytes.toByteArray())).isEmpty();
  }
}
