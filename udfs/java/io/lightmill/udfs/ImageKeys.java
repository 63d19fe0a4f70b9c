package io.lightmill.udfs;

import io.lightmill.pipeline.image.ImageFormat;
import io.lightmill.pipeline.store.PathTemplate;
import java.io.Serializable;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.spark.sql.Row;

/** Keys of image objects below the output, by a path template. Travels to executors. */
final class ImageKeys implements Serializable {

  private static final long serialVersionUID = 1L;

  private static final List<String> OWN_VALUES =
      List.of("image_id", "id", "variant", "seed", "width", "height");

  private final String template;
  private final Set<String> names;
  private final ImageFormat format;
  private transient PathTemplate parsed;

  /**
   * Checks a template.
   *
   * @param passthrough columns whose values a template may name, besides the image's own
   * @throws io.lightmill.pipeline.LightmillException with {@code CONFIGURATION_INVALID}
   */
  ImageKeys(String template, List<String> passthrough, ImageFormat format) {
    this.template = template;
    this.names = new HashSet<>(passthrough);
    this.names.addAll(OWN_VALUES);
    this.format = format;
    this.parsed = parsed();
  }

  /** The key of one image; no value has to be there. */
  String key(String imageId, String id, int variant, AskedImages asked, long seed, Row others) {
    return parsed()
        .key(
            name ->
                switch (name) {
                  case "image_id" -> imageId;
                  case "id" -> id;
                  case "variant" -> Integer.toString(variant);
                  case "seed" -> Long.toUnsignedString(seed);
                  case "width" -> String.valueOf(asked.width());
                  case "height" -> String.valueOf(asked.height());
                  default -> text(others.getAs(name));
                });
  }

  private PathTemplate parsed() {
    if (parsed == null) {
      parsed = PathTemplate.parse(template, names, format);
    }
    return parsed;
  }

  private static String text(Object value) {
    return value == null ? null : value.toString();
  }
}
