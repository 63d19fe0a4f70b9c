package io.lightmill.udfs.shard;

import io.lightmill.pipeline.image.ImageFormat;
import io.lightmill.udfs.store.ImageStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.commons.codec.digest.DigestUtils;

/** Staged objects with random bytes, since shards do not decode images. */
final class TestStagedImages {

  private TestStagedImages() {}

  /** Stages an image for each member. */
  static List<ShardImage> of(ImageStore store, int length, String... members) {
    List<ShardImage> images = new ArrayList<>();
    for (String member : members) {
      byte[] bytes = random(length, member);
      String imageId = DigestUtils.sha256Hex(member).substring(0, 32);
      String key = StagedImages.key(imageId, ImageFormat.PNG);
      store.put(key, bytes, "image/png");
      images.add(image(key, member, imageId, bytes));
    }
    return images;
  }

  static byte[] random(int length, String member) {
    byte[] bytes = new byte[length];
    new Random(member.hashCode()).nextBytes(bytes);
    return bytes;
  }

  static ShardImage image(String key, String member, String imageId, byte[] bytes) {
    return new ShardImage(
        key,
        member,
        bytes.length,
        DigestUtils.sha256Hex(bytes),
        new ShardImage.Row(
            "row of " + member,
            0,
            imageId,
            "ein Krug für " + member,
            64,
            48,
            -5L,
            "{\"id\":\"row of %s\"}".formatted(member)));
  }
}
