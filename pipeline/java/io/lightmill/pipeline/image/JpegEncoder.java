package io.lightmill.pipeline.image;

import io.lightmill.pipeline.RgbImage;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.metadata.IIOInvalidTreeException;
import javax.imageio.metadata.IIOMetadata;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** Encodes a JPEG with ImageIO and inserts the receipt's segments after the JFIF header. */
final class JpegEncoder {

  private JpegEncoder() {}

  static byte[] encode(RgbImage image, Receipt receipt, ImageLabels labels, FileFormat file) {
    byte[] plain = plain(image, file.chosenQuality().orElse(FileFormat.DEFAULT_JPEG_QUALITY));
    int afterJfif = JpegSegment.endOfJfif(plain);
    ByteArrayOutputStream jpeg = new ByteArrayOutputStream(plain.length + 4096);
    jpeg.write(plain, 0, afterJfif);
    JpegSegment.ofReceipt(receipt, labels)
        .forEach(segment -> jpeg.writeBytes(segment.toByteArray()));
    jpeg.write(plain, afterJfif, plain.length - afterJfif);
    return jpeg.toByteArray();
  }

  static byte[] plain(RgbImage image) {
    return plain(image, FileFormat.DEFAULT_JPEG_QUALITY);
  }

  private static byte[] plain(RgbImage image, int quality) {
    ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (MemoryCacheImageOutputStream out = new MemoryCacheImageOutputStream(bytes)) {
      ImageWriteParam param = writer.getDefaultWriteParam();
      param.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
      param.setCompressionQuality(quality / 100f);
      BufferedImage pixels = Pixels.view(image);
      IIOMetadata metadata =
          writer.getDefaultImageMetadata(ImageTypeSpecifier.createFromRenderedImage(pixels), param);
      keepColourResolution(metadata);
      writer.setOutput(out);
      writer.write(null, new IIOImage(pixels, null, metadata), param);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // memory to memory
    } finally {
      writer.dispose();
    }
    return bytes.toByteArray();
  }

  /** Sets luma's sampling factors to 1; ImageIO's default is twice those of colour. */
  private static void keepColourResolution(IIOMetadata metadata) throws IIOInvalidTreeException {
    String format = metadata.getNativeMetadataFormatName();
    IIOMetadataNode root = (IIOMetadataNode) metadata.getAsTree(format);
    IIOMetadataNode luma = (IIOMetadataNode) root.getElementsByTagName("componentSpec").item(0);
    luma.setAttribute("HsamplingFactor", "1");
    luma.setAttribute("VsamplingFactor", "1");
    metadata.setFromTree(format, root);
  }
}
