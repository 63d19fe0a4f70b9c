package io.lightmill.pipeline.image;

import java.nio.ByteBuffer;
import java.util.Optional;

/** Reads receipts back out of image objects. */
public final class ImageReceiptReader {

  private ImageReceiptReader() {}

  /**
   * The {@link Receipt#identity() identity} that made an image object. Empty where the bytes are
   * not a whole PNG or JPEG, or carry no receipt of Lightmill: such an object is not one that a run
   * finished.
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
