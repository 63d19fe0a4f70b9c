package io.lightmill.pipeline.image;

import java.util.Optional;

/** Reads the receipts of image objects. */
public final class ImageReceiptReader {

  private ImageReceiptReader() {}

  /**
   * The {@link Receipt#identity() identity} of an image object. Empty if the bytes are not a
   * complete PNG, JPEG or WebP, or have no receipt of Lightmill: no run completed such an object.
   */
  public static Optional<String> identity(byte[] object) {
    if (JpegSegment.isJpeg(object)) {
      return JpegSegment.receipt(object);
    }
    if (RiffChunk.isWebp(object)) {
      return RiffChunk.read(object)
          .flatMap(
              chunks ->
                  chunks.stream()
                      .filter(chunk -> chunk.type().equals(RiffChunk.RECEIPT))
                      .map(RiffChunk::text)
                      .findFirst());
    }
    if (!PngChunk.isPng(object)) {
      return Optional.empty();
    }
    return PngChunk.read(object)
        .flatMap(
            chunks ->
                chunks.stream()
                    .flatMap(chunk -> chunk.text(PngChunk.RECEIPT).stream())
                    .findFirst());
  }
}
