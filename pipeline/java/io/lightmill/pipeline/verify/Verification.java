package io.lightmill.pipeline.verify;

import com.fasterxml.jackson.databind.JsonNode;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.SafetensorsFile;
import io.lightmill.pipeline.families.Families;
import io.lightmill.pipeline.flow.Family;
import io.lightmill.pipeline.flow.FlowPipeline;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Compares a pipeline with recordings of diffusers: the acceptance test of a checkpoint on new
 * hardware.
 */
public final class Verification {

  private final Path directory;
  private final String pipelineClass;
  private final List<ReferenceCase> cases;

  private Verification(Path directory, String pipelineClass, List<ReferenceCase> cases) {
    this.directory = directory;
    this.pipelineClass = pipelineClass;
    this.cases = cases;
  }

  /**
   * Reads a reference directory: {@code cases.json} and {@code cases.safetensors}.
   *
   * @throws LightmillException with {@code INPUT_INVALID} if it is none, or holds a case that
   *     requests do not express
   */
  public static Verification read(Path directory) {
    Path index = directory.resolve("cases.json");
    Path tensors = directory.resolve("cases.safetensors");
    if (!Files.exists(index) || !Files.exists(tensors)) {
      throw new LightmillException(
          ErrorCode.INPUT_INVALID,
          "%s is no reference: it must hold cases.json and cases.safetensors".formatted(directory));
    }
    ComponentConfig json = ComponentConfig.read(index);
    String pipelineClass = json.text("pipeline_class", "");
    Family family = family(pipelineClass);
    SafetensorsFile recordings = SafetensorsFile.open(tensors);
    List<ReferenceCase> cases = new ArrayList<>();
    for (JsonNode one : json.json().path("cases")) {
      cases.add(ReferenceCase.of(one, family, recordings));
    }
    if (cases.isEmpty()) {
      throw new LightmillException(
          ErrorCode.INPUT_INVALID, "%s holds no cases; record some".formatted(index));
    }
    return new Verification(directory, pipelineClass, cases);
  }

  private static Family family(String pipelineClass) {
    return Families.find(pipelineClass)
        .orElseThrow(
            () ->
                new LightmillException(
                    ErrorCode.INPUT_INVALID,
                    "the reference was recorded from a %s; Lightmill verifies %s"
                        .formatted(
                            pipelineClass,
                            String.join(", ", Families.pipelineClasses().toList()))));
  }

  /** Names of the recorded calls, in order. */
  public List<String> caseNames() {
    return cases.stream().map(ReferenceCase::name).toList();
  }

  /**
   * Refuses a checkpoint of another pipeline class.
   *
   * @throws LightmillException with {@code INPUT_INVALID}
   */
  public void requirePipelineOf(Checkpoint checkpoint) {
    if (!checkpoint.pipelineClass().equals(pipelineClass)) {
      throw new LightmillException(
          ErrorCode.INPUT_INVALID,
          "the checkpoint %s is a %s, but the reference %s was recorded from a %s; name the one that belongs to it"
              .formatted(
                  checkpoint.directory(), checkpoint.pipelineClass(), directory, pipelineClass));
    }
  }

  /** Draws a batch, as {@link FlowPipeline#draw} does. */
  @FunctionalInterface
  interface Drawing {
    Tensor draw(List<ImageRequest> batch, Optional<Tensor> latents, TensorProbe probe);
  }

  /**
   * Runs every case: from the recorded latents, from its seed if it has a single image, and image
   * by image if it has several.
   *
   * @param each receives each comparison as soon as it is made
   */
  public void run(FlowPipeline pipeline, Consumer<Comparison> each) {
    run(settings -> pipeline.with(settings)::draw, each);
  }

  /** Runs every case with what draws under the settings of a case. */
  void run(Function<ComponentConfig, Drawing> pipeline, Consumer<Comparison> each) {
    for (ReferenceCase reference : cases) {
      Drawing drawing = pipeline.apply(reference.settings());
      fromLatents(drawing, reference, each);
      if (reference.requests().size() == 1) {
        fromSeed(drawing, reference, each);
      } else {
        alone(drawing, reference, each);
      }
    }
  }

  private static void fromLatents(
      Drawing pipeline, ReferenceCase reference, Consumer<Comparison> each) {
    Set<String> awaited = new TreeSet<>(reference.recorded());
    awaited.removeIf(name -> Quantity.of(name, reference).isEmpty());
    TensorProbe ofPrompts =
        (name, tensor) -> {
          if (awaited.remove(name)) {
            each.accept(
                Quantity.of(name, reference)
                    .orElseThrow()
                    .compare(reference.name(), Values.of(tensor), reference.values(name)));
          }
        };
    TensorProbe probe = new PromptsProbe(reference.imagesPerPrompt(), ofPrompts);
    try (Tensor latents = reference.tensor(ReferenceCase.LATENTS)) {
      pipeline.draw(reference.requests(), Optional.of(latents), probe).close();
    }
    awaited.stream()
        .map(name -> Quantity.of(name, reference).orElseThrow())
        .forEach(quantity -> each.accept(quantity.absent(reference.name())));
  }

  private static void fromSeed(
      Drawing pipeline, ReferenceCase reference, Consumer<Comparison> each) {
    Quantity image = new Quantity(Kind.IMAGE, "image from its seed", Tolerance.IMAGE);
    try (Tensor drawn = pipeline.draw(reference.requests(), Optional.empty(), TensorProbe.NONE)) {
      each.accept(
          image.compare(reference.name(), Values.of(drawn), reference.values(ReferenceCase.IMAGE)));
    }
  }

  private static void alone(Drawing pipeline, ReferenceCase reference, Consumer<Comparison> each) {
    List<ImageRequest> requests = reference.requests();
    try (Tensor latents = reference.tensor(ReferenceCase.LATENTS);
        Tensor together = pipeline.draw(requests, Optional.of(latents), TensorProbe.NONE)) {
      for (int i = 0; i < requests.size(); i++) {
        Quantity image =
            new Quantity(
                Kind.IMAGE, "image %d, batched against alone".formatted(i), Tolerance.ALONE);
        try (Tensor start = latents.select(i);
            Tensor one =
                pipeline.draw(List.of(requests.get(i)), Optional.of(start), TensorProbe.NONE);
            Tensor there = together.select(i)) {
          each.accept(image.compare(reference.name(), Values.of(there), Values.of(one)));
        }
      }
    }
  }
}
