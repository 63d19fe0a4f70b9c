package io.lightmill.pipeline.image;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The texts in an image file.
 *
 * @param receipt JSON of Lightmill's receipt
 * @param parameters generation parameters as the community's tools write them; of PNG only, since
 *     the receipt has them too
 * @param xmp the XMP packet
 */
public record ImageMetadata(
    ImageFormat format,
    Optional<String> receipt,
    Optional<String> parameters,
    Optional<String> xmp) {

  private static final int APP1 = 0xe1;
  private static final byte[] JPEG_XMP =
      "http://ns.adobe.com/xap/1.0/\0".getBytes(StandardCharsets.US_ASCII);

  /**
   * Reads a file of any program.
   *
   * @param name for messages
   * @throws LightmillException with {@code INPUT_INVALID} if it is no PNG, JPEG or WebP or is
   *     damaged
   */
  public static ImageMetadata read(String name, byte[] file) {
    if (RiffChunk.isWebp(file)) {
      List<RiffChunk> chunks = RiffChunk.read(file).orElseThrow(() -> damaged(name, "WebP"));
      return new ImageMetadata(
          ImageFormat.WEBP,
          text(chunks, RiffChunk.RECEIPT),
          Optional.empty(),
          text(chunks, RiffChunk.XMP));
    }
    if (JpegSegment.isJpeg(file)) {
      if (file[file.length - 2] != (byte) 0xff || file[file.length - 1] != (byte) 0xd9) {
        throw damaged(name, "JPEG");
      }
      return new ImageMetadata(
          ImageFormat.JPEG,
          JpegSegment.receipt(file),
          Optional.empty(),
          JpegSegment.beforeScan(file).stream()
              .filter(segment -> segment.marker() == APP1)
              .map(JpegSegment::content)
              .filter(content -> startsWith(content, JPEG_XMP))
              .map(content -> utf8(content, JPEG_XMP.length))
              .findFirst());
    }
    if (PngChunk.isPng(file)) {
      List<PngChunk> chunks = PngChunk.read(file).orElseThrow(() -> damaged(name, "PNG"));
      return new ImageMetadata(
          ImageFormat.PNG,
          keyword(chunks, PngChunk.RECEIPT),
          keyword(chunks, PngChunk.PARAMETERS),
          keyword(chunks, PngChunk.XMP));
    }
    throw new LightmillException(
        ErrorCode.INPUT_INVALID,
        "'%s' is not a PNG, JPEG or WebP file; give an image".formatted(name));
  }

  private static Optional<String> text(List<RiffChunk> chunks, String type) {
    return chunks.stream()
        .filter(chunk -> chunk.type().equals(type))
        .map(RiffChunk::text)
        .findFirst();
  }

  private static Optional<String> keyword(List<PngChunk> chunks, String keyword) {
    return chunks.stream().flatMap(chunk -> chunk.text(keyword).stream()).findFirst();
  }

  private static boolean startsWith(byte[] bytes, byte[] prefix) {
    return bytes.length >= prefix.length
        && Arrays.equals(bytes, 0, prefix.length, prefix, 0, prefix.length);
  }

  private static String utf8(byte[] bytes, int start) {
    return new String(bytes, start, bytes.length - start, StandardCharsets.UTF_8);
  }

  private static LightmillException damaged(String name, String format) {
    return new LightmillException(
        ErrorCode.INPUT_INVALID,
        "'%s' is a damaged or truncated %s file; fetch it again".formatted(name, format));
  }
}
