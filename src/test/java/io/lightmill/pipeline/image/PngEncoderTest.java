package io.lightmill.pipeline.image;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.RgbImage;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PngEncoderTest {

  @ParameterizedTest
  @CsvSource({"1,1", "1,9", "9,1", "2,2", "61,47", "256,64"})
  void everyPixelIsReadBack(int width, int height) throws IOException {
    for (RgbImage image :
        List.of(
            Pictures.noise(width, height),
            Pictures.slopes(width, height),
            Pictures.plain(width, height, 0xff0080))) {
      RgbImage decoded = Pictures.decoded(png(image, "a mug"));

      assertThat(decoded.width()).isEqualTo(width);
      assertThat(decoded.height()).isEqualTo(height);
      assertThat(decoded.rgb()).isEqualTo(image.rgb());
    }
  }

  @Test
  void theSameInputGivesTheSameBytes() {
    RgbImage image = Pictures.noise(33, 21);
    assertThat(png(image, Receipts.HOSTILE)).isEqualTo(png(image, Receipts.HOSTILE));
  }

  @Test
  void smoothImagesAreCompressed() {
    RgbImage image = Pictures.slopes(256, 256);
    assertThat(png(image, "a mug")).hasSizeLessThan(image.rgb().length / 20);
  }

  @Test
  void chunksHaveTheOrderOfTheStandard() throws IOException {
    List<Chunk> chunks = chunks(png(Pictures.noise(300, 300), "a mug"));

    assertThat(chunks)
        .extracting(Chunk::type)
        .containsExactly("IHDR", "sRGB", "tEXt", "tEXt", "iTXt", "IDAT", "IEND");
    assertThat(chunks.get(0).data)
        .containsExactly(0, 0, 1, 44, 0, 0, 1, 44, 8, 2, 0, 0, 0); // 300 × 300, 8 bits, RGB
  }

  @Test
  void imagesWithoutAReceiptHaveNoTextChunks() throws IOException {
    RgbImage image = Pictures.noise(7, 5);
    byte[] png = ImageEncoder.png(image);

    assertThat(chunks(png)).extracting(Chunk::type).containsExactly("IHDR", "sRGB", "IDAT", "IEND");
    assertThat(Pictures.decoded(png).rgb()).isEqualTo(image.rgb());
  }

  @Test
  void drawingsWhoseRowsRepeatAreReadBack() throws IOException {
    byte[] rgb = Pictures.noise(9, 8).rgb();
    int stride = 3 * 9;
    for (int row : List.of(1, 2, 5, 7)) { // as the one above
      System.arraycopy(rgb, (row - 1) * stride, rgb, row * stride, stride);
    }
    assertThat(Pictures.decoded(ImageEncoder.png(new RgbImage(9, 8, rgb))).rgb()).isEqualTo(rgb);
  }

  @Test
  void latinTextIsStoredInTextChunks() throws IOException {
    Receipt receipt = Receipts.of("Café à la crème,\nwith a £ sign");
    List<Chunk> chunks = chunks(PngEncoder.encode(Pictures.noise(2, 2), receipt, ImageLabels.NONE));

    assertThat(new String(chunks.get(2).data, ISO_8859_1))
        .isEqualTo("parameters\0" + receipt.parameters());
    assertThat(new String(chunks.get(3).data, ISO_8859_1))
        .isEqualTo("lightmill\0" + receipt.identity());
  }

  @Test
  void otherTextIsStoredInInternationalTextChunks() throws IOException {
    for (String prompt :
        List.of(Receipts.HOSTILE, "€", "tab\there", "carriage\rreturn", "\u0085")) {
      Receipt receipt = Receipts.of(prompt);
      Chunk parameters =
          chunks(PngEncoder.encode(Pictures.noise(2, 2), receipt, ImageLabels.NONE)).get(2);

      assertThat(parameters.type).isEqualTo("iTXt");
      assertThat(new String(parameters.data, UTF_8))
          .isEqualTo("parameters\0\0\0\0\0" + receipt.parameters());
    }
  }

  @Test
  void nulNeverEndsATextEarly() throws IOException {
    Chunk parameters = chunks(png(Pictures.noise(2, 2), "a\0mug")).get(2);

    assertThat(new String(parameters.data, ISO_8859_1)).startsWith("parameters\0a mug\nSteps: 8");
  }

  @Test
  void theXmpPacketMarksTheImage() throws Exception {
    Chunk xmp = chunks(png(Pictures.noise(2, 2), Receipts.HOSTILE)).get(4);
    String keyword = "XML:com.adobe.xmp\0\0\0\0\0";

    assertThat(new String(xmp.data, UTF_8)).startsWith(keyword);
    Xmp.assertMarked(
        Arrays.copyOfRange(xmp.data, keyword.length(), xmp.data.length), Receipts.HOSTILE);
  }

  private static byte[] png(RgbImage image, String prompt) {
    return ImageEncoder.encode(image, Receipts.of(prompt), ImageFormat.PNG);
  }

  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Chunk(String type, byte[] data) {}

  /** Parses a datastream by the standard, and checks every length and CRC. */
  private static List<Chunk> chunks(byte[] png) throws IOException {
    List<Chunk> chunks = new ArrayList<>();
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(png));
    assertThat(in.readNBytes(8)).containsExactly(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10);
    while (in.available() > 0) {
      int length = in.readInt();
      byte[] type = in.readNBytes(4);
      byte[] data = in.readNBytes(length);
      CRC32 crc = new CRC32();
      crc.update(type);
      crc.update(data);
      assertThat(in.readInt()).isEqualTo((int) crc.getValue());
      chunks.add(new Chunk(new String(type, ISO_8859_1), data));
    }
    return chunks;
  }
}
