package io.lightmill.pipeline;

import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;

/** A program that draws one image with nothing but the pipeline's own libraries. */
final class StandaloneDrawing {

  static final ImageRequest REQUEST =
      ImageRequest.builder("a red mug")
          .negativePrompt("blurry")
          .width(32)
          .height(32)
          .numInferenceSteps(2)
          .guidanceScale(3.5)
          .trueCfgScale(2)
          .maxSequenceLength(32)
          .seed(5)
          .build();

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
