package io.lightmill.pipeline.image;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * A minimal Exif block (CIPA DC-008) with a UserComment, from which the community's tools read the
 * generation parameters of a JPEG: big-endian, with UTF-16 text.
 */
final class ExifUserComment {

  private static final byte[] EXIF = "Exif\0\0".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] UNICODE = "UNICODE\0".getBytes(StandardCharsets.US_ASCII);

  private static final short EXIF_IFD = (short) 0x8769;
  private static final short EXIF_VERSION = (short) 0x9000;
  private static final short USER_COMMENT = (short) 0x9286;
  private static final short LONG = 4;
  private static final short UNDEFINED = 7;

  private static final int TIFF_HEADER = 8;
  private static final int IFD0 = directory(1);
  private static final int SUB_IFD = directory(2);
  private static final int COMMENT_OFFSET = TIFF_HEADER + IFD0 + SUB_IFD;

  private ExifUserComment() {}

  /** As {@link #tiff}, behind the six bytes that begin Exif in JPEG. */
  static byte[] of(Receipt receipt, int limit) {
    byte[] tiff = tiff(receipt, limit - EXIF.length);
    return ByteBuffer.allocate(EXIF.length + tiff.length).put(EXIF).put(tiff).array();
  }

  /**
   * @param limit of the block's size in bytes; a longer prompt is truncated, the line of settings
   *     is not
   */
  static byte[] tiff(Receipt receipt, int limit) {
    int bytes = limit - COMMENT_OFFSET - UNICODE.length;
    byte[] text = fitting(receipt, bytes / 2).getBytes(StandardCharsets.UTF_16BE);
    ByteBuffer exif = ByteBuffer.allocate(COMMENT_OFFSET + UNICODE.length + text.length);
    exif.put((byte) 'M').put((byte) 'M').putShort((short) 42).putInt(TIFF_HEADER);
    exif.putShort((short) 1);
    entry(exif, EXIF_IFD, LONG, 1).putInt(TIFF_HEADER + IFD0);
    exif.putInt(0);
    exif.putShort((short) 2);
    entry(exif, EXIF_VERSION, UNDEFINED, 4).put("0232".getBytes(StandardCharsets.US_ASCII));
    entry(exif, USER_COMMENT, UNDEFINED, UNICODE.length + text.length).putInt(COMMENT_OFFSET);
    exif.putInt(0);
    return exif.put(UNICODE).put(text).array();
  }

  private static String fitting(Receipt receipt, int characters) {
    String parameters = receipt.parameters();
    if (parameters.length() <= characters) {
      return parameters;
    }
    String end = "\u2026\n" + receipt.settings();
    int cut = Math.max(0, characters - end.length());
    return parameters.substring(0, cut) + end;
  }

  private static ByteBuffer entry(ByteBuffer exif, short tag, short type, int count) {
    return exif.putShort(tag).putShort(type).putInt(count);
  }

  /** Bytes of a directory: a count, twelve per entry, and the offset of the next directory. */
  private static int directory(int entries) {
    return 2 + 12 * entries + 4;
  }
}
