package io.lightmill.pipeline;

import java.io.Serializable;
import java.util.List;
import java.util.Optional;

/**
 * Sizes of images that a checkpoint draws, beside its largest side and its most pixels.
 *
 * @param minSide least width, and least height, in pixels
 * @param only the only sizes, such as {@code 1024x1024}; empty for any size
 */
public record ImageSizes(int minSide, List<String> only) implements Serializable {

  /** All sizes. */
  public static final ImageSizes ANY = new ImageSizes(1, List.of());

  public ImageSizes {
    only = List.copyOf(only);
  }

  /** All sizes whose sides have at least so many pixels. */
  public static ImageSizes from(int minSide) {
    return new ImageSizes(minSide, List.of());
  }

  /** These sizes and no others. */
  public static ImageSizes only(String... sizes) {
    return new ImageSizes(1, List.of(sizes));
  }

  /** A size as text, such as {@code 1024x1024}. */
  public static String text(int width, int height) {
    return width + "x" + height;
  }

  /** What is wrong with a size, and the fix; empty if it is accepted. */
  public Optional<String> error(int width, int height) {
    if (Math.min(width, height) < minSide) {
      return Optional.of(
          "%dx%d has a side of less than the %d pixels that this checkpoint needs; make it larger"
              .formatted(width, height, minSide));
    }
    return only.isEmpty() || only.contains(text(width, height))
        ? Optional.empty()
        : Optional.of(
            "%dx%d is not a size that this checkpoint draws; choose one of %s"
                .formatted(width, height, String.join(", ", only)));
  }
}
