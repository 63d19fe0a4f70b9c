package io.lightmill.udfs.report;

import io.lightmill.pipeline.RgbImage;
import java.util.Objects;

/** One frame of a contact sheet: an image, or why there is none. */
public sealed interface Tile {

  /**
   * An image of any size; a {@link Thumbnail} is enough and keeps a sheet of many frames small in
   * memory.
   */
  record Image(RgbImage image) implements Tile {

    public Image {
      Objects.requireNonNull(image, "image");
    }
  }

  /** An empty frame, marked with what became of its row. */
  record Empty(FrameMark mark) implements Tile {

    public Empty {
      Objects.requireNonNull(mark, "mark");
    }
  }
}
