package io.lightmill.jobs;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.image.PixelDifference;
import io.lightmill.udfs.regenerate.Regenerated;
import io.lightmill.udfs.regenerate.Regeneration;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.BiConsumer;

/** Images that are drawn again, compared with their files. */
record RegeneratedImages(Optional<Regeneration> drawing, Optional<Path> output)
    implements AutoCloseable {

  /** Nothing is drawn again. */
  static final RegeneratedImages NONE = new RegeneratedImages(Optional.empty(), Optional.empty());

  private static final String SUBJECT = "redrawn";

  /**
   * Draws an image again and prints how it differs.
   *
   * @param line prints a line about a subject
   * @return whether all decoded pixels are equal
   */
  boolean compare(Path image, byte[] file, BiConsumer<String, String> line) {
    if (drawing.isEmpty()) {
      return true;
    }
    Regenerated drawn = drawing.get().draw(image.toString(), file);
    output.ifPresent(to -> write(to, drawn.file()));
    PixelDifference pixels = drawn.pixels();
    line.accept(
        SUBJECT,
        pixels.none()
            ? "identical: all %d decoded pixels".formatted(pixels.pixels())
            : "DIFFERS: %d of %d decoded pixels, by at most %d of 255; processors of other kinds and GPUs round differently"
                .formatted(pixels.differing(), pixels.pixels(), pixels.most()));
    line.accept(
        SUBJECT,
        "the bytes of the file %s%s"
            .formatted(
                drawn.sameFile() ? "are identical" : "differ",
                drawn.signed() ? ", except for its C2PA manifest" : ""));
    return pixels.none();
  }

  private static void write(Path file, byte[] content) {
    try {
      Files.write(file, content);
    } catch (IOException e) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "'%s' cannot be written (%s); give another --output".formatted(file, e),
          e);
    }
  }

  @Override
  public void close() {
    drawing.ifPresent(Regeneration::close);
  }
}
