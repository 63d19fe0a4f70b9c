package io.lightmill.pipeline.checks;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.ImageResult;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.classify.ImageClassifier;
import io.lightmill.pipeline.classify.PromptClassifier;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Stream;

/**
 * A pipeline whose prompts and images are checked: prompts before they are drawn, images after they
 * are decoded, both on the device. It draws further images where the settings say so. What is found
 * of an image depends on that image alone, and a check that fails fails the batch, so that no
 * unchecked image is a result.
 */
public final class CheckedPipeline implements DiffusionPipeline {

  private final DiffusionPipeline drawing;
  private final CheckSettings settings;
  private final CheckNetworks networks;
  private final Device device;

  /**
   * @param drawing draws the images; closed with this pipeline, as are the networks
   * @param device of the networks
   */
  public CheckedPipeline(
      DiffusionPipeline drawing, CheckSettings settings, CheckNetworks networks, Device device) {
    this.drawing = drawing;
    this.settings = settings;
    this.networks = networks;
    this.device = device;
  }

  @Override
  public List<RgbImage> generate(List<ImageRequest> batch) {
    return results(batch).stream().map(ImageResult::orElseThrow).toList();
  }

  @Override
  public List<ImageResult> results(List<ImageRequest> batch) {
    Map<String, Map<String, Double>> read = new HashMap<>();
    List<Candidates> all =
        batch.stream()
            .map(request -> new Candidates(request, settings, promptScores(request, read)))
            .toList();
    List<Candidates> open = all.stream().filter(Candidates::drawable).toList();
    for (int draw = 0; draw < settings.bestOf(); draw++) {
      draw(open);
    }
    for (int retry = 0; retry < settings.retries(); retry++) {
      draw(open.stream().filter(Candidates::wantsRetry).toList());
    }
    return all.stream().map(each -> each.result(!networks.isEmpty())).toList();
  }

  /** The greatest scores of the texts that the encoders read; equal texts are read once. */
  private Map<String, Double> promptScores(
      ImageRequest request, Map<String, Map<String, Double>> read) {
    Optional<PromptClassifier> classifier = networks.prompts();
    if (classifier.isEmpty()) {
      return Map.of();
    }
    Map<String, Double> greatest = new HashMap<>();
    Stream.of(Optional.of(request.prompt()), request.prompt2(), request.prompt3())
        .flatMap(Optional::stream)
        .distinct()
        .map(text -> read.computeIfAbsent(text, classifier.get()::scores))
        .forEach(scores -> scores.forEach((label, s) -> greatest.merge(label, s, Math::max)));
    return greatest;
  }

  private void draw(List<Candidates> open) {
    if (open.isEmpty()) {
      return;
    }
    List<ImageResult> drawn = drawing.results(open.stream().map(Candidates::next).toList());
    for (int i = 0; i < open.size(); i++) {
      check(open.get(i), drawn.get(i));
    }
  }

  private void check(Candidates candidates, ImageResult drawn) {
    Optional<LightmillException> failure = drawn.failure();
    if (failure.isEmpty() && !settings.keepBlank()) {
      failure = BlankCheck.failure(drawn.orElseThrow(), device);
    }
    if (failure.isPresent()) {
      candidates.addFailure(failure.get());
      return;
    }
    RgbImage image = drawn.orElseThrow();
    Optional<ImageClassifier> classifier = networks.images();
    String prompt = candidates.next().prompt();
    candidates.addImage(
        drawn,
        classifier.isPresent() ? classifier.get().scores(image) : Map.of(),
        networks.scorer().isPresent()
            ? OptionalDouble.of(networks.scorer().get().score(image, prompt))
            : OptionalDouble.empty());
  }

  @Override
  public void requireWorkingDevice() {
    drawing.requireWorkingDevice();
  }

  @Override
  public void close() {
    networks.close();
    drawing.close();
  }
}
