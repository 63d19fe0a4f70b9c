package io.lightmill.pipeline.image;

import static java.nio.charset.StandardCharsets.UTF_16BE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.RgbImage;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class JpegEncoderTest {

  @Test
  void colourEdgesAreKept() throws IOException {
    RgbImage image = Pictures.slopes(62, 47);
    RgbImage decoded = Pictures.decoded(jpeg(image, "a mug"));

    assertThat(decoded.width()).isEqualTo(62);
    assertThat(decoded.height()).isEqualTo(47);
    int worst = 0;
    for (int i = 0; i < image.rgb().length; i++) {
      worst = Math.max(worst, Math.abs((image.rgb()[i] & 0xff) - (decoded.rgb()[i] & 0xff)));
    }
    assertThat(worst).isLessThan(16); // halved colour resolution is off by about 100 at the edge
  }

  @Test
  void theSameInputGivesTheSameBytes() {
    RgbImage image = Pictures.noise(33, 21);
    assertThat(jpeg(image, Receipts.HOSTILE)).isEqualTo(jpeg(image, Receipts.HOSTILE));
  }

  @Test
  void segmentsFollowTheJfifHeader() throws IOException {
    List<Segment> segments = segments(jpeg(Pictures.noise(9, 9), "a mug"));

    assertThat(segments.subList(0, 4))
        .extracting(Segment::marker)
        .containsExactly(0xe0, 0xe1, 0xe1, 0xfe);
    assertThat(text(segments.get(0))).startsWith("JFIF\0");
    assertThat(text(segments.get(1))).startsWith("Exif\0\0");
    assertThat(text(segments.get(2))).startsWith("http://ns.adobe.com/xap/1.0/\0");
    assertThat(text(segments.get(3))).isEqualTo("lightmill {\"prompt\":\"a mug\",\"seed\":42}");
  }

  @Test
  void exifHoldsTheParameters() throws IOException {
    Receipt receipt = Receipts.of(Receipts.HOSTILE);
    byte[] jpeg = ImageEncoder.encode(Pictures.noise(9, 9), receipt, ImageFormat.JPEG);

    assertThat(userComment(segments(jpeg).get(1))).isEqualTo(receipt.parameters());
  }

  @Test
  void theXmpPacketMarksTheImage() throws Exception {
    byte[] segment = segments(jpeg(Pictures.noise(9, 9), Receipts.HOSTILE)).get(2).content;

    Xmp.assertMarked(
        Arrays.copyOfRange(segment, "http://ns.adobe.com/xap/1.0/\0".length(), segment.length),
        Receipts.HOSTILE);
  }

  @Test
  void longPromptsAreTruncatedInExifAndCompleteInTheJson() throws IOException {
    String prompt = "\"杯👩🏽‍🚀&\u0001".repeat(20_000);
    Receipt receipt = Receipts.of(prompt);
    RgbImage image = Pictures.slopes(24, 24);
    byte[] jpeg = ImageEncoder.encode(image, receipt, ImageFormat.JPEG);

    String comment = userComment(segments(jpeg).get(1));
    assertThat(comment).startsWith("\"杯👩🏽‍🚀&\u0001\"杯").endsWith("…\n" + receipt.settings());
    assertThat(segments(jpeg)).filteredOn(segment -> segment.marker == 0xfe).hasSizeGreaterThan(5);
    assertThat(ImageReceiptReader.identity(jpeg)).contains(receipt.identity());
    assertThat(Pictures.decoded(jpeg).width()).isEqualTo(24);
  }

  private static byte[] jpeg(RgbImage image, String prompt) {
    return ImageEncoder.encode(image, Receipts.of(prompt), ImageFormat.JPEG);
  }

  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Segment(int marker, byte[] content) {}

  private static String text(Segment segment) {
    return new String(segment.content, UTF_8);
  }

  /** The segments before the scan, as ITU T.81 defines them. */
  private static List<Segment> segments(byte[] jpeg) throws IOException {
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(jpeg));
    assertThat(in.readUnsignedShort()).isEqualTo(0xffd8);
    List<Segment> segments = new ArrayList<>();
    while (true) {
      assertThat(in.readUnsignedByte()).isEqualTo(0xff);
      int marker = in.readUnsignedByte();
      if (marker == 0xda) {
        return segments;
      }
      segments.add(new Segment(marker, in.readNBytes(in.readUnsignedShort() - 2)));
    }
  }

  /** Follows the offsets of the Exif block from the TIFF header to tag 0x9286. */
  private static String userComment(Segment exif) {
    ByteBuffer tiff = ByteBuffer.wrap(exif.content, 6, exif.content.length - 6).slice();
    assertThat(tiff.getShort(0)).isEqualTo((short) 0x4d4d);
    assertThat(tiff.getShort(2)).isEqualTo((short) 42);
    int exifDirectory = tiff.getInt(entry(tiff, tiff.getInt(4), 0x8769) + 8);
    assertThat(tiff.getInt(entry(tiff, exifDirectory, 0x9000) + 8)).isEqualTo(0x30323332);
    int comment = entry(tiff, exifDirectory, 0x9286);
    assertThat(tiff.getShort(comment + 2)).isEqualTo((short) 7);
    byte[] value = new byte[tiff.getInt(comment + 4)];
    tiff.get(tiff.getInt(comment + 8), value);
    assertThat(new String(value, 0, 8, UTF_8)).isEqualTo("UNICODE\0");
    return new String(value, 8, value.length - 8, UTF_16BE);
  }

  private static int entry(ByteBuffer tiff, int directory, int tag) {
    int entries = tiff.getShort(directory);
    for (int i = 0; i < entries; i++) {
      int at = directory + 2 + 12 * i;
      if (Short.toUnsignedInt(tiff.getShort(at)) == tag) {
        return at;
      }
    }
    throw new AssertionError("no tag " + Integer.toHexString(tag));
  }
}
