package io.lightmill.udfs.earlier;

import io.lightmill.pipeline.DrawingFacts;
import io.lightmill.pipeline.image.ImageReceiptReader;
import io.lightmill.udfs.manifest.ReceiptFacts;
import io.lightmill.udfs.manifest.StoredImage;
import io.lightmill.udfs.plan.ImageIdentity;
import io.lightmill.udfs.store.FoundObject;
import io.lightmill.udfs.store.ImageStore;
import java.util.Optional;
import org.apache.commons.codec.digest.DigestUtils;

/** Identifies objects that no manifest has by the receipts in them. */
public record ReadReceipts(ImageStore store) {

  /** An object that is an image of Lightmill. */
  record Identified(String imageId, StoredImage image, DrawingFacts facts) {}

  /** Reads an object completely; empty if it is damaged, missing or no image of Lightmill. */
  Optional<Identified> read(String path) {
    return store
        .find(path)
        .map(FoundObject::bytes)
        .flatMap(
            bytes ->
                imageId(bytes)
                    .map(
                        id ->
                            new Identified(
                                id,
                                StoredImage.object(
                                    path, bytes.length, DigestUtils.sha256Hex(bytes), null),
                                facts(bytes))));
  }

  /** The identity in the receipt of an image; empty if the image is damaged or not of Lightmill. */
  static Optional<String> imageId(byte[] image) {
    return ImageReceiptReader.identity(image).map(ImageIdentity::imageIdOf);
  }

  /** What the receipt of an image says about its checks. */
  public static DrawingFacts facts(byte[] image) {
    return ImageReceiptReader.identity(image).map(ReceiptFacts::read).orElse(DrawingFacts.NONE);
  }
}
