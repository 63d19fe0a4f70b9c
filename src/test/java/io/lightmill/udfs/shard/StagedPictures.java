package io.lightmill.udfs.shard;

import io.lightmill.pipeline.image.ImageFormat;
import io.lightmill.udfs.store.ImageStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.commons.codec.digest.DigestUtils;

/** Objects of chance that wait to be packed; shards do not look into images. */
final class StagedPictures {

  private StagedPictures() {}

  /** Stages a picture under each member. */
  static List<ShardImage> of(ImageStore store, int bytes, String... members) {
    List<ShardImage> images = new ArrayList<>();
    for (String member : members) {
      byte[] picture = picture(bytes, member);
      String imageId = DigestUtils.sha256Hex(member).substring(0, 32);
      String key = StagedImages.key(imageId, ImageFormat.PNG);
      store.put(key, picture, "image/png");
      images.add(image(key, member, imageId, picture));
    }
    return images;
  }

  static byte[] picture(int bytes, String member) {
    byte[] picture = new byte[bytes];
    new Random(member.hashCode()).nextBytes(picture);
    return picture;
  }

  static ShardImage image(String key, String member, String imageId, byte[] picture) {
    return new ShardImage(
        key,
        member,
        picture.length,
        DigestUtils.sha256Hex(picture),
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
