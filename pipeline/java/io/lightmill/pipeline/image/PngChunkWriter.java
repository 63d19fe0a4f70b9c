package io.lightmill.pipeline.image;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;

/** Builds a PNG datastream chunk by chunk. */
final class PngChunkWriter {

  private final ByteArrayOutputStream png = new ByteArrayOutputStream();

  PngChunkWriter() {
    png.writeBytes(PngChunk.SIGNATURE.array());
  }

  void chunk(String type, byte[]... parts) {
    int length = 0;
    CRC32 crc = new CRC32();
    byte[] name = type.getBytes(StandardCharsets.US_ASCII);
    crc.update(name);
    for (byte[] part : parts) {
      length = Math.addExact(length, part.length);
      crc.update(part);
    }
    png.writeBytes(bigEndian(length));
    png.writeBytes(name);
    for (byte[] part : parts) {
      png.writeBytes(part);
    }
    png.writeBytes(bigEndian((int) crc.getValue()));
  }

  /** A tEXt chunk if the text is printable Latin-1, as that chunk requires, else an iTXt chunk. */
  void text(String keyword, String text) {
    if (text.chars().allMatch(PngChunkWriter::isLatin1Text)) {
      chunk("tEXt", latin1(keyword + '\0'), latin1(text));
    } else {
      internationalText(keyword, text);
    }
  }

  /** An uncompressed iTXt chunk without a language. */
  void internationalText(String keyword, String text) {
    byte[] notCompressedNoLanguage = {0, 0, 0, 0};
    chunk("iTXt", latin1(keyword + '\0'), notCompressedNoLanguage, bytes(text));
  }

  byte[] toByteArray() {
    return png.toByteArray();
  }

  private static boolean isLatin1Text(int c) {
    return c == '\n' || (c >= ' ' && c <= '~') || (c >= 0xa1 && c <= 0xff);
  }

  private static byte[] latin1(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] bigEndian(int value) {
    return ByteBuffer.allocate(Integer.BYTES).putInt(value).array();
  }
}
