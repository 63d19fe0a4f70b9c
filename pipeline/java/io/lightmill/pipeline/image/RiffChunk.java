package io.lightmill.pipeline.image;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * One chunk of a WebP file (RFC 9649): a type of four characters and data, padded to an even
 * length.
 *
 * @param start of the chunk's type in the file
 */
@SuppressWarnings("ArrayRecordComponent") // chunks are never compared
record RiffChunk(String type, int start, byte[] data) {

  /** The receipt's JSON, in a chunk of our own, which readers of WebP ignore. */
  static final String RECEIPT = "LMRC";

  static final String XMP = "XMP ";
  static final String EXIF = "EXIF";
  static final String EXTENDED = "VP8X";
  static final String C2PA = "C2PA";

  static final int HEADER = 2 * Integer.BYTES;
  private static final int FILE_HEADER = HEADER + Integer.BYTES;

  RiffChunk(String type, byte[] data) {
    this(type, -1, data);
  }

  static boolean isWebp(byte[] bytes) {
    return bytes.length >= FILE_HEADER
        && name(bytes, 0).equals("RIFF")
        && name(bytes, HEADER).equals("WEBP");
  }

  /** All chunks; empty if the file is truncated or its lengths contradict each other. */
  static Optional<List<RiffChunk>> read(byte[] webp) {
    ByteBuffer in = ByteBuffer.wrap(webp).order(ByteOrder.LITTLE_ENDIAN);
    if (!isWebp(webp) || Integer.toUnsignedLong(in.getInt(4)) + HEADER != webp.length) {
      return Optional.empty();
    }
    in.position(FILE_HEADER);
    List<RiffChunk> chunks = new ArrayList<>();
    while (in.remaining() >= HEADER) {
      int start = in.position();
      String type = name(webp, start);
      long length = Integer.toUnsignedLong(in.getInt(start + Integer.BYTES));
      in.position(start + HEADER);
      if (length + length % 2 > in.remaining()) {
        return Optional.empty();
      }
      byte[] data = Arrays.copyOfRange(webp, in.position(), in.position() + (int) length);
      chunks.add(new RiffChunk(type, start, data));
      in.position(in.position() + (int) (length + length % 2));
    }
    return in.hasRemaining() || chunks.isEmpty() ? Optional.empty() : Optional.of(chunks);
  }

  /** A WebP file of these chunks. */
  static byte[] file(List<RiffChunk> chunks) {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    body.writeBytes(ascii("WEBP"));
    chunks.forEach(chunk -> body.writeBytes(chunk.toByteArray()));
    return new RiffChunk("RIFF", body.toByteArray()).toByteArray();
  }

  /** Writes the length of a file into its header. */
  static void setLength(byte[] file, int length) {
    ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).putInt(Integer.BYTES, length - HEADER);
  }

  byte[] toByteArray() {
    return ByteBuffer.allocate(HEADER + data.length + data.length % 2)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put(ascii(type))
        .putInt(data.length)
        .put(data)
        .array();
  }

  String text() {
    return new String(data, StandardCharsets.UTF_8);
  }

  private static String name(byte[] bytes, int start) {
    return new String(bytes, start, Integer.BYTES, StandardCharsets.ISO_8859_1);
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
