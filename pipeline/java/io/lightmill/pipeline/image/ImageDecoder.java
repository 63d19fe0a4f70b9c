package io.lightmill.pipeline.image;

import com.luciad.imageio.webp.WebPImageReaderSpi;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Optional;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;

/** Decodes image files. */
public final class ImageDecoder {

  private ImageDecoder() {}

  /** The pixels of a PNG, JPEG or WebP; empty where the bytes are not a complete image. */
  public static Optional<BufferedImage> decode(byte[] file) {
    try {
      return RiffChunk.isWebp(file)
          ? Optional.ofNullable(webp(file))
          : Optional.ofNullable(ImageIO.read(new ByteArrayInputStream(file)));
    } catch (IOException | RuntimeException e) { // readers of the JDK throw both for damaged images
      return Optional.empty();
    }
  }

  /** ImageIO finds plug-ins by the class loader of its first caller, which is not always ours. */
  private static BufferedImage webp(byte[] file) throws IOException {
    ImageReader reader = new WebPImageReaderSpi().createReaderInstance(null);
    try (ImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(file))) {
      reader.setInput(in);
      return reader.read(0);
    } finally {
      reader.dispose();
    }
  }
}
