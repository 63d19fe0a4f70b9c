package io.lightmill.pipeline.image;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16BE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.RgbImage;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WebpEncoderTest {

  @ParameterizedTest
  @CsvSource({"1,1", "9,1", "61,47", "300,259"})
  void everyPixelIsReadBack(int width, int height) {
    for (RgbImage image :
        new RgbImage[] {Pictures.noise(width, height), Pictures.slopes(width, height)}) {
      byte[] webp = webp(image, "a mug", 0);

      assertThat(Pixels.copy(ImageDecoder.decode(webp).orElseThrow()).rgb()).isEqualTo(image.rgb());
      ByteBuffer extended = little(chunks(webp).get("VP8X"));
      assertThat(extended.getInt(4) & 0xffffff).isEqualTo(width - 1);
      assertThat(extended.getInt(6) >>> 8).isEqualTo(height - 1);
      assertThat(extended.get(0)).isEqualTo((byte) 0x0c); // XMP and Exif
    }
  }

  @Test
  void aQualityLosesInformationForFewerBytes() {
    RgbImage image = Pictures.slopes(128, 128);
    byte[] best = webp(image, "a mug", 95);

    assertThat(chunks(best)).containsKey("VP8 ");
    assertThat(webp(Pictures.noise(64, 64), "", 30))
        .hasSizeLessThan(webp(Pictures.noise(64, 64), "", 90).length);
    assertThat(ImageDecoder.decode(best).orElseThrow().getWidth()).isEqualTo(128);
  }

  @Test
  void theSameInputGivesTheSameBytes() {
    assertThat(webp(Pictures.noise(33, 21), Receipts.HOSTILE, 0))
        .isEqualTo(webp(Pictures.noise(33, 21), Receipts.HOSTILE, 0));
  }

  @Test
  void metadataFollowsThePixels() throws Exception {
    Receipt receipt = Receipts.of(Receipts.HOSTILE);
    Map<String, byte[]> chunks =
        chunks(ImageEncoder.encode(Pictures.noise(9, 9), receipt, ImageFormat.WEBP));

    assertThat(chunks.keySet()).containsExactly("VP8X", "VP8L", "EXIF", "XMP ", "LMRC");
    Xmp.assertMarked(chunks.get("XMP "), Receipts.HOSTILE);
    assertThat(new String(chunks.get("LMRC"), UTF_8)).isEqualTo(receipt.identity());
    assertThat(new String(chunks.get("EXIF"), 0, 4, ISO_8859_1)).isEqualTo("MM\0*");
    assertThat(new String(chunks.get("EXIF"), UTF_16BE)).endsWith(receipt.parameters());
  }

  private static byte[] webp(RgbImage image, String prompt, int quality) {
    return ImageEncoder.encode(
        image, Receipts.of(prompt), ImageLabels.NONE, new FileFormat(ImageFormat.WEBP, quality));
  }

  /** Parses a file by RFC 9649, and checks its lengths. */
  private static Map<String, byte[]> chunks(byte[] webp) {
    ByteBuffer in = little(webp);
    assertThat(new String(webp, 0, 4, ISO_8859_1)).isEqualTo("RIFF");
    assertThat(in.getInt(4)).isEqualTo(webp.length - 8);
    assertThat(new String(webp, 8, 4, ISO_8859_1)).isEqualTo("WEBP");
    in.position(12);
    Map<String, byte[]> chunks = new LinkedHashMap<>();
    while (in.hasRemaining()) {
      byte[] type = new byte[4];
      in.get(type);
      byte[] data = new byte[in.getInt()];
      in.get(data);
      if (data.length % 2 == 1) {
        assertThat(in.get()).isZero();
      }
      chunks.put(new String(type, ISO_8859_1), data);
    }
    return chunks;
  }

  private static ByteBuffer little(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
