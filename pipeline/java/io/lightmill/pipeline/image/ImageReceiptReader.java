package io.lightmill.pipeline.image;

import java.nio.ByteBuffer;
import java.util.Optional;

/** Reads the receipts of image objects. */
public final class ImageReceiptReader {

  private ImageReceiptReader() {}

  /**
   * The {@link Receipt#identity() identity} of an image object. Empty if the bytes are not a
   * complete PNG or JPEG, or have no receipt of Lightmill: no run completed such an object.
   */
  public static Optional<String> identity(byte[] object) {
    if (JpegSegment.isJpeg(object)) {
      return JpegSegment.receipt(object);
    }
    if (ByteBuffer.wrap(object).mismatch(PngChunk.SIGNATURE) != PngChunk.SIGNATURE.capacity()) {
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
