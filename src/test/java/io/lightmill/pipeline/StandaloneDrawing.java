package io.lightmill.pipeline;

import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/** A program that draws one image with nothing but the pipeline's own libraries. */
final class StandaloneDrawing {

  static final ImageRequest REQUEST =
      new ImageRequest("a red mug", Optional.of("blurry"), 32, 32, 2, 3.5, 2, 32, 5);

  private StandaloneDrawing() {}

  /** Prints the image in hex. */
  public static void main(String[] checkpoint) {
    System.out.println(drawn(Path.of(checkpoint[0])));
  }

  static String drawn(Path checkpoint) {
    try (DiffusionPipeline pipeline = DiffusionPipeline.load(checkpoint)) {
      return HexFormat.of().formatHex(pipeline.generate(List.of(REQUEST)).get(0).rgb());
    }
  }
}
