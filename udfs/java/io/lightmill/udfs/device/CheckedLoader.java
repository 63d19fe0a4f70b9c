package io.lightmill.udfs.device;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.PromptLength;
import io.lightmill.pipeline.checkpoint.Loading;
import io.lightmill.pipeline.checkpoint.ModelDirectory;
import io.lightmill.pipeline.checks.CheckNetworks;
import io.lightmill.pipeline.checks.CheckSettings;
import io.lightmill.pipeline.checks.CheckedPipeline;
import io.lightmill.pipeline.classify.ImageClassifier;
import io.lightmill.pipeline.classify.ImageScorer;
import io.lightmill.pipeline.classify.PromptClassifier;
import io.lightmill.udfs.store.SharedConfiguration;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * Loads a pipeline and the networks that check its prompts and images, onto one device.
 *
 * @param drawing loads the pipeline that draws
 * @param models at most one of each kind
 */
public record CheckedLoader(
    PipelineLoader drawing,
    CheckSettings settings,
    List<CheckModel> models,
    SharedConfiguration hadoop)
    implements PipelineLoader {

  public CheckedLoader {
    models = List.copyOf(models);
  }

  @Override
  public String key() {
    return String.join(" ", drawing.key(), settings.toString(), models.toString());
  }

  @Override
  public List<CheckModel> checks() {
    return models;
  }

  @Override
  public PromptLength promptLength() {
    return drawing.promptLength();
  }

  @Override
  public DrawingMemory memory() {
    DrawingMemory memory = drawing.memory();
    long checks = models.stream().mapToLong(CheckModel::bytes).sum();
    return new DrawingMemory() {
      @Override
      public long weights() {
        return memory.weights() + checks;
      }

      @Override
      public long activations(ImageRequest request) {
        return memory.activations(request);
      }
    };
  }

  @Override
  public Optional<HostedLoader> hosted() {
    return drawing.hosted();
  }

  /** {@inheritDoc} The networks that check images of a hosted model run on the CPU. */
  @Override
  public DiffusionPipeline load(Device drawn) {
    Device device = drawn.equals(Device.HOSTED) ? Device.CPU : drawn;
    try (Loading loading = new Loading()) {
      DiffusionPipeline pipeline = loading.add(drawing.load(drawn));
      CheckNetworks networks =
          new CheckNetworks(
              loaded(CheckModel.Kind.PROMPT, m -> PromptClassifier.load(m, device), loading),
              loaded(CheckModel.Kind.IMAGE, m -> ImageClassifier.load(m, device), loading),
              loaded(CheckModel.Kind.SCORER, m -> ImageScorer.load(m, device), loading));
      CheckedPipeline checked = new CheckedPipeline(pipeline, settings, networks);
      loading.complete();
      return checked;
    }
  }

  private <T extends AutoCloseable> Optional<T> loaded(
      CheckModel.Kind kind, Function<ModelDirectory, T> load, Loading loading) {
    return models.stream()
        .filter(model -> model.kind() == kind)
        .findFirst()
        .map(model -> loading.add(load.apply(model.directory(hadoop.value()))));
  }
}
