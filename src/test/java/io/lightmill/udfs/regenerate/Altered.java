package io.lightmill.udfs.regenerate;

import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.image.ImageDecoder;
import io.lightmill.pipeline.image.ImageEncoder;
import io.lightmill.pipeline.image.Pixels;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;

/** PNG files with another receipt, or with other pixels. */
final class Altered {

  private static final int SIGNATURE = 8;
  private static final int OVERHEAD = 12;

  private Altered() {}

  /** The file with a part of its receipt replaced. */
  static byte[] receipt(byte[] png, String part, String by) {
    ByteArrayOutputStream altered = new ByteArrayOutputStream();
    altered.write(png, 0, SIGNATURE);
    each(
        png,
        (type, data) -> {
          String text = new String(data, StandardCharsets.ISO_8859_1);
          boolean receipt = type.equals("tEXt") && text.startsWith("lightmill\0");
          if (receipt && !text.contains(part)) {
            throw new IllegalArgumentException("no '%s' in %s".formatted(part, text));
          }
          altered.writeBytes(
              chunk(
                  type,
                  receipt ? once(text, part, by).getBytes(StandardCharsets.ISO_8859_1) : data));
        });
    return altered.toByteArray();
  }

  private static String once(String text, String part, String by) {
    int at = text.indexOf(part);
    return text.substring(0, at) + by + text.substring(at + part.length());
  }

  static RgbImage pixels(byte[] png) {
    return ImageDecoder.decode(png).map(Pixels::copy).orElseThrow();
  }

  /** The file with other pixels. */
  static byte[] pixels(byte[] png, RgbImage image) {
    byte[] other = ImageEncoder.png(image);
    ByteArrayOutputStream altered = new ByteArrayOutputStream();
    altered.write(png, 0, SIGNATURE);
    each(
        other,
        (type, data) -> {
          if (type.equals("IDAT")) {
            each(
                png,
                (kept, text) -> {
                  if (kept.endsWith("Xt")) {
                    altered.writeBytes(chunk(kept, text));
                  }
                });
          }
          altered.writeBytes(chunk(type, data));
        });
    return altered.toByteArray();
  }

  private interface Chunks {
    void add(String type, byte[] data);
  }

  private static void each(byte[] png, Chunks chunks) {
    ByteBuffer in = ByteBuffer.wrap(png).position(SIGNATURE);
    while (in.hasRemaining()) {
      byte[] data = new byte[in.getInt()];
      byte[] type = new byte[Integer.BYTES];
      in.get(type).get(data).getInt();
      chunks.add(new String(type, StandardCharsets.US_ASCII), data);
    }
  }

  private static byte[] chunk(String type, byte[] data) {
    ByteBuffer chunk = ByteBuffer.allocate(OVERHEAD + data.length).putInt(data.length);
    chunk.put(type.getBytes(StandardCharsets.US_ASCII)).put(data);
    CRC32 crc = new CRC32();
    crc.update(chunk.array(), Integer.BYTES, Integer.BYTES + data.length);
    return chunk.putInt((int) crc.getValue()).array();
  }
}
