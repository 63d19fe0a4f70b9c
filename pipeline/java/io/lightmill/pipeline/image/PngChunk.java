package io.lightmill.pipeline.image;

import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32;

/** One chunk of a PNG datastream: a type of four letters, and data. */
record PngChunk(String type, ByteBuffer data) {

  static final ByteBuffer SIGNATURE =
      ByteBuffer.wrap(new byte[] {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'});

  /** Keyword of the generation parameters that the community's tools read. */
  static final String PARAMETERS = "parameters";

  /** Keyword of the receipt's JSON. */
  static final String RECEIPT = "lightmill";

  /** Keyword of XMP packets, from Adobe's XMP specification, part 3. */
  static final String XMP = "XML:com.adobe.xmp";

  private static final int MAX_KEYWORD = 79;

  static boolean isPng(byte[] bytes) {
    return ByteBuffer.wrap(bytes).mismatch(SIGNATURE) == SIGNATURE.capacity();
  }

  /** All chunks up to IEND; empty if the datastream is truncated or damaged. */
  static Optional<List<PngChunk>> read(byte[] png) {
    ByteBuffer in = ByteBuffer.wrap(png);
    in.position(SIGNATURE.capacity());
    List<PngChunk> chunks = new ArrayList<>();
    while (in.remaining() >= 3 * Integer.BYTES) {
      int length = in.getInt();
      if (length < 0 || length > in.remaining() - 2 * Integer.BYTES) {
        return Optional.empty();
      }
      CRC32 crc = new CRC32();
      crc.update(png, in.position(), Integer.BYTES + length);
      PngChunk chunk = new PngChunk(string(in, Integer.BYTES), in.slice(in.position(), length));
      in.position(in.position() + length);
      if (in.getInt() != (int) crc.getValue()) {
        return Optional.empty();
      }
      chunks.add(chunk);
      if (chunk.type.equals("IEND")) {
        return Optional.of(chunks);
      }
    }
    return Optional.empty();
  }

  /** The text of an uncompressed tEXt or iTXt chunk with a keyword. */
  Optional<String> text(String keyword) {
    ByteBuffer in = data.duplicate();
    if (!type.equals("tEXt") && !type.equals("iTXt")) {
      return Optional.empty();
    }
    if (!terminated(in, MAX_KEYWORD).equals(Optional.of(keyword))) {
      return Optional.empty();
    }
    if (type.equals("tEXt")) {
      return Optional.of(string(in, in.remaining(), StandardCharsets.ISO_8859_1));
    }
    boolean compressed = in.remaining() < 2 || in.getShort() != 0;
    if (compressed
        || terminated(in, in.remaining()).isEmpty() // language
        || terminated(in, in.remaining()).isEmpty()) { // keyword in that language
      return Optional.empty();
    }
    return Optional.of(string(in, in.remaining(), StandardCharsets.UTF_8));
  }

  private static Optional<String> terminated(ByteBuffer in, int most) {
    int start = in.position();
    for (int length = 0; length <= most && start + length < in.limit(); length++) {
      if (in.get(start + length) == 0) {
        String text = string(in, length);
        in.get();
        return Optional.of(text);
      }
    }
    return Optional.empty();
  }

  private static String string(ByteBuffer in, int length) {
    return string(in, length, StandardCharsets.ISO_8859_1);
  }

  private static String string(ByteBuffer in, int length, Charset charset) {
    byte[] bytes = new byte[length];
    in.get(bytes);
    return new String(bytes, charset);
  }
}
