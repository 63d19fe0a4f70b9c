package io.lightmill.pipeline.image;

import com.luciad.imageio.webp.WebPImageReaderSpi;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Iterator;
import java.util.Optional;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;

/** Decodes image files. */
public final class ImageDecoder {

  /**
   * The most pixels of a decoded image, since a file of a few KB can declare 2³² of them. Lightmill
   * generates 4 Mi at most.
   */
  public static final long MOST_PIXELS = 1L << 25;

  private ImageDecoder() {}

  /**
   * The pixels of a PNG, JPEG or WebP; empty where the bytes are not a complete image or declare
   * more than {@link #MOST_PIXELS}.
   */
  public static Optional<BufferedImage> decode(byte[] file) {
    try (ImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(file))) {
      ImageReader reader = reader(file, in);
      if (reader == null) {
        return Optional.empty();
      }
      try {
        reader.setInput(in);
        long pixels = (long) reader.getWidth(0) * reader.getHeight(0);
        return pixels < 1 || pixels > MOST_PIXELS
            ? Optional.empty()
            : Optional.of(reader.read(0));
      } finally {
        reader.dispose();
      }
    } catch (IOException | RuntimeException e) { // readers of the JDK throw both for damaged images
      return Optional.empty();
    }
  }

  /** ImageIO finds plug-ins by the class loader of its first caller, which is not always ours. */
  private static ImageReader reader(byte[] file, ImageInputStream in) throws IOException {
    if (RiffChunk.isWebp(file)) {
      return new WebPImageReaderSpi().createReaderInstance(null);
    }
    if (!PngChunk.isPng(file) && !JpegSegment.isJpeg(file)) {
      return null; // no other format is read
    }
    Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
    return readers.hasNext() ? readers.next() : null;
  }
}
