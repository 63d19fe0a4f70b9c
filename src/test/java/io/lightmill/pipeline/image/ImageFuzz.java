package io.lightmill.pipeline.image;

import io.lightmill.fuzz.FuzzTarget;
import io.lightmill.pipeline.LightmillException;
import java.awt.image.BufferedImage;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32;

/**
 * Image files: receipt, manifest store and pixels. Checksums and lengths that guard the rest are
 * put right in a second try, so that mutations reach what is behind them.
 */
public final class ImageFuzz implements FuzzTarget {

  @Override
  public void run(byte[] input) {
    read(input);
    read(repaired(input));
  }

  private static void read(byte[] file) {
    Optional<String> receipt = ImageReceiptReader.identity(file);
    try {
      ImageMetadata metadata = ImageMetadata.read("image", file);
      FuzzTarget.require(metadata.receipt().equals(receipt), "both readers find the same receipt");
      metadata.xmp().ifPresent(XmpProperties::read);
    } catch (LightmillException e) {
      FuzzTarget.require(e.getMessage().startsWith("'image' is "), "a message names the file");
    }
    Optional<ManifestEmbedding> found = ManifestEmbedding.find(file);
    found.ifPresent(
        place -> {
          boolean inside = place.start() > 0 && place.start() + place.length() <= file.length;
          FuzzTarget.require(inside, "a manifest store is in the file");
          FuzzTarget.require(place.store().length < place.length(), "a store has a header");
        });
    Optional<BufferedImage> pixels = ImageDecoder.decode(file);
    pixels.ifPresent(
        image ->
            FuzzTarget.require(image.getWidth() * image.getHeight() > 0, "an image has pixels"));
  }

  /** The file with right checksums (PNG) or a right length (WebP). */
  private static byte[] repaired(byte[] file) {
    byte[] repaired = file.clone();
    ByteBuffer bytes = ByteBuffer.wrap(repaired);
    if (RiffChunk.isWebp(repaired)) {
      bytes.order(ByteOrder.LITTLE_ENDIAN).putInt(4, repaired.length - 8);
    } else if (PngChunk.isPng(repaired)) {
      int start = 8;
      while (repaired.length - start >= 12) {
        long length = Integer.toUnsignedLong(bytes.getInt(start));
        if (length > repaired.length - start - 12) {
          break;
        }
        CRC32 crc = new CRC32();
        crc.update(repaired, start + 4, (int) length + 4);
        bytes.putInt(start + 8 + (int) length, (int) crc.getValue());
        start += 12 + (int) length;
      }
    }
    return repaired;
  }

  @Override
  public List<byte[]> seeds() {
    List<byte[]> seeds = new ArrayList<>();
    for (ImageFormat format : ImageFormat.values()) {
      byte[] file = ImageEncoder.encode(Pictures.slopes(6, 4), Receipts.of("a"), format);
      seeds.add(file);
      seeds.add(ManifestEmbedding.insert(file, new byte[40]));
    }
    seeds.add(ImageEncoder.png(Pictures.plain(3, 3, 0x804020)));
    seeds.add(ImageEncoder.jpeg(Pictures.plain(8, 8, 0x804020)));
    return seeds;
  }
}
