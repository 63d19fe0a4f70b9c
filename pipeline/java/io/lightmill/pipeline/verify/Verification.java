package io.lightmill.pipeline.verify;

import com.fasterxml.jackson.databind.JsonNode;
import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.TensorProbe;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.SafetensorsFile;
import io.lightmill.pipeline.schedule.Flow;
import io.lightmill.pipeline.torch.DType;
import io.lightmill.pipeline.torch.Device;
import io.lightmill.pipeline.torch.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Holds a pipeline against recordings of diffusers: the acceptance test of a checkpoint on new
 * hardware.
 *
 * @param cases that were recorded
 */
public record Verification(List<ReferenceCase> cases) {

  private static final Flow ON_CPU = new Flow(Device.CPU, DType.F32);

  /**
   * Reads a reference directory: {@code cases.json} and {@code cases.safetensors}.
   *
   * @throws LightmillException with {@code INPUT_INVALID} if it holds none
   */
  public static Verification read(Path directory) {
    Path index = directory.resolve("cases.json");
    Path tensors = directory.resolve("cases.safetensors");
    if (!Files.exists(index) || !Files.exists(tensors)) {
      throw new LightmillException(
          ErrorCode.INPUT_INVALID,
          "%s is no reference: it must hold cases.json and cases.safetensors".formatted(directory));
    }
    SafetensorsFile recordings = SafetensorsFile.open(tensors);
    List<ReferenceCase> cases = new ArrayList<>();
    for (JsonNode json : ComponentConfig.read(index).json().path("cases")) {
      cases.add(new ReferenceCase(json, recordings));
    }
    return new Verification(cases);
  }

  /**
   * Runs every case: from the recorded latents, from its seed where it draws a single picture, and
   * picture by picture where it draws several.
   *
   * @param each is told each comparison as soon as it is made
   */
  public void run(DiffusionPipeline pipeline, Consumer<Comparison> each) {
    for (ReferenceCase reference : cases) {
      fromLatents(pipeline, reference, each);
      if (reference.requests().size() == 1) {
        fromSeed(pipeline, reference, each);
      } else {
        alone(pipeline, reference, each);
      }
    }
  }

  private static void fromLatents(
      DiffusionPipeline pipeline, ReferenceCase reference, Consumer<Comparison> each) {
    Set<String> missing = new HashSet<>(reference.recorded());
    missing.removeIf(name -> Quantity.of(name, reference).isEmpty());
    TensorProbe probe =
        (name, tensor) -> {
          if (missing.remove(name)) {
            compare(reference, name, tensor, each);
          }
        };
    try (Tensor latents = latents(reference)) {
      pipeline.draw(reference.requests(), Optional.of(latents), probe).close();
    }
    for (String name : missing) {
      each.accept(
          new Comparison(
              reference.name(), name, Double.POSITIVE_INFINITY, "computed at all", false));
    }
  }

  private static void compare(
      ReferenceCase reference, String name, Tensor found, Consumer<Comparison> each) {
    Quantity quantity = Quantity.of(name, reference).orElseThrow();
    try (Tensor recorded = reference.tensor(name).orElseThrow()) {
      each.accept(
          quantity
              .tolerance()
              .compare(reference.name(), quantity.words(), floats(found), floats(recorded)));
    }
  }

  private static void fromSeed(
      DiffusionPipeline pipeline, ReferenceCase reference, Consumer<Comparison> each) {
    try (Tensor image = pipeline.draw(reference.requests(), Optional.empty(), TensorProbe.NONE);
        Tensor recorded = reference.tensor("image").orElseThrow()) {
      each.accept(
          Tolerance.IMAGE.compare(
              reference.name(), "image from its seed", floats(image), floats(recorded)));
    }
  }

  private static void alone(
      DiffusionPipeline pipeline, ReferenceCase reference, Consumer<Comparison> each) {
    List<ImageRequest> requests = reference.requests();
    try (Tensor latents = latents(reference);
        Tensor together = pipeline.draw(requests, Optional.of(latents), TensorProbe.NONE)) {
      for (int i = 0; i < requests.size(); i++) {
        long[] row = {i};
        try (Tensor start = ON_CPU.select(latents, row);
            Tensor one =
                pipeline.draw(List.of(requests.get(i)), Optional.of(start), TensorProbe.NONE);
            Tensor there = ON_CPU.select(together, row)) {
          each.accept(
              Tolerance.ALONE.compare(
                  reference.name(),
                  "image %d, batched against alone".formatted(i),
                  floats(there),
                  floats(one)));
        }
      }
    }
  }

  private static Tensor latents(ReferenceCase reference) {
    return reference
        .tensor("latents_init")
        .orElseThrow(
            () ->
                new LightmillException(
                    ErrorCode.INPUT_INVALID,
                    "the case '%s' records no latents_init to start from"
                        .formatted(reference.name())));
  }

  private static float[] floats(Tensor tensor) {
    try (Tensor copy = ON_CPU.copy(tensor)) {
      return copy.toFloats();
    }
  }
}
