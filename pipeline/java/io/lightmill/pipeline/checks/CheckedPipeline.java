package io.lightmill.pipeline.checks;

import io.lightmill.pipeline.BatchResult;
import io.lightmill.pipeline.BatchWork;
import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.ImageResult;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.classify.ImageClassifier;
import io.lightmill.pipeline.classify.PromptClassifier;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * A pipeline whose prompts and images are checked: prompts before they are drawn, images after they
 * are decoded. It draws further images where the settings say so. What is found of an image depends
 * on that image alone, and a check that fails fails the batch, so that no unchecked image is a
 * result.
 */
public final class CheckedPipeline implements DiffusionPipeline {

  private final DiffusionPipeline drawing;
  private final CheckSettings settings;
  private final CheckNetworks networks;

  /**
   * @param drawing draws the images; closed with this pipeline, as are the networks
   */
  public CheckedPipeline(
      DiffusionPipeline drawing, CheckSettings settings, CheckNetworks networks) {
    this.drawing = drawing;
    this.settings = settings;
    this.networks = networks;
  }

  @Override
  public PipelineLimits limits() {
    return drawing.limits();
  }

  @Override
  public List<RgbImage> generate(List<ImageRequest> batch) {
    return results(batch).stream().map(ImageResult::orElseThrow).toList();
  }

  @Override
  public List<ImageResult> results(List<ImageRequest> batch) {
    return drawChunk(List.of(batch), () -> true).get(0).orElseThrow();
  }

  /** {@inheritDoc} A batch whose first draw has begun gets all its draws. */
  @Override
  public List<BatchResult> drawChunk(List<List<ImageRequest>> batches, BooleanSupplier goOn) {
    Map<String, Map<String, Double>> read = new HashMap<>();
    List<CheckedBatch> all = batches.stream().map(batch -> checked(batch, read)).toList();
    for (int draw = 0; draw < settings.bestOf(); draw++) {
      draw(all, Candidates::drawable, draw == 0 ? goOn : () -> true);
    }
    for (int retry = 0; retry < settings.retries(); retry++) {
      draw(all, Candidates::wantsRetry, () -> true);
    }
    return all.stream().map(batch -> batch.result(!networks.isEmpty())).toList();
  }

  private CheckedBatch checked(List<ImageRequest> batch, Map<String, Map<String, Double>> read) {
    CheckedBatch checked = new CheckedBatch();
    checked.attempt(
        () ->
            batch.forEach(
                request ->
                    checked.candidates.add(
                        new Candidates(request, settings, promptScores(request, read)))));
    return checked;
  }

  /** One batch of a chunk. */
  private static final class CheckedBatch {

    private final List<Candidates> candidates = new ArrayList<>();
    private BatchWork work = BatchWork.NONE;
    private RuntimeException failure;
    private boolean leftOut;

    private List<Candidates> open(Predicate<Candidates> wanted) {
      return failure != null || leftOut ? List.of() : candidates.stream().filter(wanted).toList();
    }

    /** Does work whose failure is that of the batch. */
    private void attempt(Runnable part) {
      try {
        part.run();
      } catch (RuntimeException e) {
        BatchResult.failed(e, work); // throws if the thread is interrupted
        failure = e;
      }
    }

    private BatchResult result(boolean screened) {
      if (failure != null) {
        return BatchResult.failed(failure, work);
      }
      return leftOut
          ? BatchResult.leftOut(work)
          : BatchResult.drawn(
              candidates.stream().map(each -> each.result(screened)).toList(), work);
    }
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

  /** Draws one more image for each request that wants one, for all batches together. */
  private void draw(
      List<CheckedBatch> batches, Predicate<Candidates> wanted, BooleanSupplier goOn) {
    List<CheckedBatch> begun =
        batches.stream().filter(batch -> !batch.open(wanted).isEmpty()).toList();
    if (begun.isEmpty()) {
      return;
    }
    List<List<Candidates>> open = begun.stream().map(batch -> batch.open(wanted)).toList();
    List<BatchResult> drawn =
        drawing.drawChunk(
            open.stream().map(each -> each.stream().map(Candidates::next).toList()).toList(), goOn);
    for (int i = 0; i < drawn.size(); i++) {
      CheckedBatch batch = begun.get(i);
      List<Candidates> candidates = open.get(i);
      BatchResult result = drawn.get(i);
      batch.work = batch.work.plus(result.work());
      batch.leftOut = result.isLeftOut();
      batch.attempt(
          () -> {
            List<ImageResult> images = result.orElseThrow();
            for (int image = 0; image < images.size(); image++) {
              check(candidates.get(image), images.get(image));
            }
          });
    }
  }

  private void check(Candidates candidates, ImageResult drawn) {
    candidates.addFacts(drawn.facts());
    if (drawn.facts().isBlocked()) {
      candidates.addBlocked(drawn);
      return;
    }
    Optional<LightmillException> failure = drawn.failure();
    if (failure.isEmpty() && !settings.keepBlank()) {
      failure = BlankCheck.failure(drawn.orElseThrow());
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
