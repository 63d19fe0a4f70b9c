package io.lightmill.pipeline.image;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * One marker segment of a JPEG datastream (ITU T.81, annex B): a marker and up to 65,533 bytes.
 *
 * <p>A receipt consists of three kinds of segments: the parameters as Exif, the XMP packet, and the
 * JSON as comments, each of which holds {@code lightmill } and the next part of the JSON.
 */
@SuppressWarnings("ArrayRecordComponent") // segments are never compared
record JpegSegment(int marker, byte[] content) {

  private static final int SOI = 0xd8;
  private static final int EOI = 0xd9;
  private static final int SOS = 0xda;
  private static final int APP0 = 0xe0;
  private static final int APP1 = 0xe1;
  private static final int COM = 0xfe;

  private static final int MAX_CONTENT = 0xffff - Short.BYTES;
  private static final byte[] XMP = ascii("http://ns.adobe.com/xap/1.0/\0");
  private static final byte[] RECEIPT = ascii("lightmill ");

  JpegSegment {
    if (content.length > MAX_CONTENT) {
      throw new IllegalArgumentException(
          "%d bytes for a JPEG segment, which holds %d".formatted(content.length, MAX_CONTENT));
    }
  }

  static boolean isJpeg(byte[] bytes) {
    return bytes.length > 3
        && Arrays.equals(bytes, 0, 3, new byte[] {(byte) 0xff, (byte) SOI, (byte) 0xff}, 0, 3);
  }

  static List<JpegSegment> ofReceipt(Receipt receipt, ImageLabels labels) {
    List<JpegSegment> segments = new ArrayList<>();
    segments.add(new JpegSegment(APP1, ExifUserComment.of(receipt, MAX_CONTENT)));
    segments.add(new JpegSegment(APP1, joined(XMP, utf8(XmpPacket.of(receipt, labels)))));
    byte[] json = utf8(receipt.identity());
    int part = MAX_CONTENT - RECEIPT.length;
    for (int start = 0; start < json.length; start += part) {
      byte[] next = Arrays.copyOfRange(json, start, Math.min(json.length, start + part));
      segments.add(new JpegSegment(COM, joined(RECEIPT, next)));
    }
    return segments;
  }

  /** The JSON of the receipt; empty if there is none or the datastream is truncated. */
  static Optional<String> receipt(byte[] jpeg) {
    int last = jpeg.length - 1;
    boolean whole = (jpeg[last - 1] & 0xff) == 0xff && (jpeg[last] & 0xff) == EOI;
    if (!whole) {
      return Optional.empty();
    }
    ByteArrayOutputStream json = new ByteArrayOutputStream();
    for (JpegSegment segment : beforeScan(jpeg)) {
      if (segment.marker == COM && startsWith(segment.content, RECEIPT)) {
        json.write(segment.content, RECEIPT.length, segment.content.length - RECEIPT.length);
      }
    }
    return Optional.of(json.toString(StandardCharsets.UTF_8)).filter(text -> !text.isEmpty());
  }

  /** The end of the JFIF header, which must be the first segment. */
  static int endOfJfif(byte[] jpeg) {
    ByteBuffer in = ByteBuffer.wrap(jpeg);
    in.position(2);
    if (in.getShort() != (short) (0xff00 | APP0)) {
      throw new IllegalStateException("the JPEG writer of this Java runtime wrote no JFIF header");
    }
    return in.position() + Short.toUnsignedInt(in.getShort(in.position()));
  }

  byte[] toByteArray() {
    int length = content.length + Short.BYTES;
    return ByteBuffer.allocate(Short.BYTES + length)
        .putShort((short) (0xff00 | marker))
        .putShort((short) length)
        .put(content)
        .array();
  }

  /** The segments before the scan; those that are not cut off. */
  static List<JpegSegment> beforeScan(byte[] jpeg) {
    ByteBuffer in = ByteBuffer.wrap(jpeg);
    in.position(2);
    List<JpegSegment> segments = new ArrayList<>();
    while (in.remaining() >= 2 * Short.BYTES) {
      int marker = in.getShort() & 0xff;
      int length = Short.toUnsignedInt(in.getShort()) - Short.BYTES;
      if (marker == SOS || length < 0 || length > in.remaining()) {
        break;
      }
      byte[] content = new byte[length];
      in.get(content);
      segments.add(new JpegSegment(marker, content));
    }
    return segments;
  }

  private static boolean startsWith(byte[] bytes, byte[] prefix) {
    return bytes.length >= prefix.length
        && Arrays.equals(bytes, 0, prefix.length, prefix, 0, prefix.length);
  }

  private static byte[] joined(byte[] first, byte[] second) {
    return ByteBuffer.allocate(first.length + second.length).put(first).put(second).array();
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
