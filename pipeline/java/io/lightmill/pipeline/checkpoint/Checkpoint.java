package io.lightmill.pipeline.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * A checkpoint in diffusers' directory layout: {@code model_index.json} and one folder a component.
 *
 * @param directory that holds {@code model_index.json}
 * @param pipelineClass diffusers' class for it, such as {@code FluxPipeline}
 * @param components that the index names, the optional ones that it leaves out aside
 */
public record Checkpoint(Path directory, String pipelineClass, Set<String> components) {

  private static final String INDEX = "model_index.json";

  public Checkpoint {
    components = Set.copyOf(components);
  }

  /**
   * Reads the index and checks that every component that it names is there.
   *
   * @throws LightmillException with {@code CHECKPOINT_INVALID}
   */
  public static Checkpoint open(Path directory) {
    if (!Files.exists(directory.resolve(INDEX))) {
      throw new LightmillException(
          ErrorCode.CHECKPOINT_INVALID,
          Files.isDirectory(directory)
              ? "%s holds no %s; name the directory of a checkpoint in diffusers' layout"
                  .formatted(directory, INDEX)
              : "the checkpoint %s is no directory; name the directory of a checkpoint in diffusers' layout"
                  .formatted(directory));
    }
    ComponentConfig index = ComponentConfig.read(directory.resolve(INDEX));
    Set<String> components = new TreeSet<>();
    for (var field : index.json().properties()) {
      if (isComponent(field.getKey(), field.getValue())) {
        requireDirectory(directory, field.getKey());
        components.add(field.getKey());
      }
    }
    if (!index.json().path("_class_name").isTextual()) {
      throw index.wrong("_class_name", "the name of a diffusers pipeline");
    }
    return new Checkpoint(directory, index.text("_class_name", ""), components);
  }

  /** Components stand as {@code [library, class]}; {@code [null, null]} is one left out. */
  private static boolean isComponent(String key, JsonNode value) {
    return !key.startsWith("_") && value.isArray() && value.size() == 2 && value.get(1).isTextual();
  }

  private static void requireDirectory(Path directory, String component) {
    if (!Files.isDirectory(directory.resolve(component))) {
      throw missing(directory, component);
    }
  }

  private static LightmillException missing(Path directory, String component) {
    return new LightmillException(
        ErrorCode.CHECKPOINT_INVALID,
        "the checkpoint %s lacks its component '%s'; fetch it whole"
            .formatted(directory, component));
  }

  /** The folder of a component that the pipeline cannot do without. */
  public Path component(String name) {
    if (!components.contains(name)) {
      throw missing(directory, name);
    }
    return directory.resolve(name);
  }

  /** The config of a component: {@code config.json}, or {@code scheduler_config.json}. */
  public ComponentConfig config(String component) {
    Path folder = component(component);
    List<String> names = List.of("config.json", component + "_config.json");
    return names.stream()
        .map(folder::resolve)
        .filter(Files::exists)
        .findFirst()
        .map(ComponentConfig::read)
        .orElseThrow(
            () ->
                new LightmillException(
                    ErrorCode.CHECKPOINT_INVALID,
                    "%s holds none of %s; fetch the checkpoint again".formatted(folder, names)));
  }

  /** The weights of a component. */
  public WeightFiles weights(String component) {
    return WeightFiles.in(component(component));
  }

  /**
   * SHA-256, in hex, over the names and contents of all files that decide pixels: weights, configs
   * and vocabularies, but no model card. Reads every byte.
   */
  public String digest() {
    return CheckpointDigest.of(this);
  }
}
