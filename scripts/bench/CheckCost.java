import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.checkpoint.ModelDirectory;
import io.lightmill.pipeline.checks.CheckNetworks;
import io.lightmill.pipeline.checks.CheckSettings;
import io.lightmill.pipeline.checks.CheckedPipeline;
import io.lightmill.pipeline.classify.ClassifierInfo;
import io.lightmill.pipeline.classify.ImageClassifier;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * The cost of the image checks for a 1024×1024 picture on one CPU thread: the check for one colour,
 * and, with a directory as argument, an image classifier. See README.md.
 */
public final class CheckCost {

  private static final int SIDE = 1024;
  private static final int TIMES = 50;

  private CheckCost() {}

  public static void main(String... arguments) {
    byte[] rgb = new byte[SIDE * SIDE * 3];
    new Random(1).nextBytes(rgb);
    RgbImage picture = new RgbImage(SIDE, SIDE, rgb);
    List<ImageRequest> batch =
        List.of(ImageRequest.builder("a mug").width(SIDE).height(SIDE).seed(1).build());
    DiffusionPipeline drawn = new Drawn(picture);
    CheckSettings keep = new CheckSettings(true, List.of(), List.of(), 1, 0, false, "");
    double none = millis(new CheckedPipeline(drawn, keep, CheckNetworks.NONE), batch);
    double blank =
        millis(new CheckedPipeline(drawn, CheckSettings.STANDARD, CheckNetworks.NONE), batch);
    System.out.printf(
        "one colour: %.2f ms (the pipeline around it: %.2f ms)%n", blank - none, none);
    if (arguments.length > 0) {
      ModelDirectory model = new ModelDirectory(Path.of(arguments[0]));
      ClassifierInfo info = ImageClassifier.describe(model);
      try (ImageClassifier classifier = ImageClassifier.load(model, Device.CPU)) {
        Map<String, Double> scores = classifier.scores(picture);
        long start = System.nanoTime();
        for (int i = 0; i < 5; i++) {
          scores = classifier.scores(picture);
        }
        System.out.printf(
            "classifier: %.0f ms (%,d parameters): %s%n",
            (System.nanoTime() - start) / 5e6, info.parameters(), scores);
      }
    }
  }

  private static double millis(DiffusionPipeline pipeline, List<ImageRequest> batch) {
    for (int i = 0; i < TIMES; i++) {
      pipeline.results(batch);
    }
    long start = System.nanoTime();
    for (int i = 0; i < TIMES; i++) {
      pipeline.results(batch);
    }
    return (System.nanoTime() - start) / 1e6 / TIMES;
  }

  /** Draws the same picture again and again. */
  private record Drawn(RgbImage picture) implements DiffusionPipeline {

    @Override
    public PipelineLimits limits() {
      throw new UnsupportedOperationException("no checkpoint");
    }

    @Override
    public List<RgbImage> generate(List<ImageRequest> batch) {
      return batch.stream().map(request -> picture).toList();
    }

    @Override
    public void close() {}
  }
}
