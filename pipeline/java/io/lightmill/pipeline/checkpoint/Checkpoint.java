package io.lightmill.pipeline.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A checkpoint in diffusers' directory layout: {@code model_index.json} and one directory per
 * component.
 *
 * @param directory that holds {@code model_index.json}
 * @param pipelineClass diffusers' class for it, such as {@code FluxPipeline}
 * @param classes of the components that the index lists, without optional ones that it sets to null
 * @param variant of the weights to read where a component has it, such as {@code fp16}
 */
public record Checkpoint(
    Path directory,
    String pipelineClass,
    Map<String, ComponentClass> classes,
    Optional<String> variant) {

  /**
   * The class of a component, which the index decides, whatever the component's own config says.
   *
   * @param library that has it, {@code diffusers} or {@code transformers}
   */
  public record ComponentClass(String library, String name) {}

  public static final String INDEX = "model_index.json";

  /** Describes the layout, in messages about anything else. */
  public static final String LAYOUT =
      "a checkpoint is a directory in diffusers' layout: %s and a directory with config and safetensors for each component"
          .formatted(INDEX);

  /** Why a single file is refused, whatever it holds. */
  public static final String REFUSED_FILES =
      "Pickles (.ckpt, .pt, .pth, .bin) and TorchScript archives are refused because they can run"
          + " code when they are loaded; a single .safetensors file lacks the configs.";

  public Checkpoint {
    classes = Map.copyOf(classes);
  }

  /** A checkpoint without a preferred variant. */
  public Checkpoint(Path directory, String pipelineClass, Map<String, ComponentClass> classes) {
    this(directory, pipelineClass, classes, Optional.empty());
  }

  /** The names of the components. */
  public Set<String> components() {
    return classes.keySet();
  }

  /**
   * Opens a checkpoint with a preferred variant of the weights.
   *
   * @throws LightmillException with {@code CHECKPOINT_INVALID}, also if no component has the
   *     variant
   */
  public static Checkpoint open(Path directory, Optional<String> variant) {
    Checkpoint plain = open(directory);
    if (variant.isEmpty()) {
      return plain;
    }
    Set<String> variants = new TreeSet<>();
    for (String component : plain.components()) {
      try {
        variants.addAll(new WeightNames(directory.resolve(component)).variants());
      } catch (IOException e) {
        throw new LightmillException(
            ErrorCode.CHECKPOINT_INVALID,
            "the checkpoint %s cannot be listed (%s); check that it is readable"
                .formatted(directory, e),
            e);
      }
    }
    if (!variants.contains(variant.get())) {
      throw new LightmillException(
          ErrorCode.CHECKPOINT_INVALID,
          "no component of the checkpoint %s has weights of the variant '%s'; it has %s"
              .formatted(
                  directory,
                  variant.get(),
                  variants.isEmpty() ? "no variants" : String.join(", ", variants)));
    }
    return new Checkpoint(directory, plain.pipelineClass(), plain.classes(), variant);
  }

  /**
   * Reads the index and checks that every component that it lists exists.
   *
   * @throws LightmillException with {@code CHECKPOINT_INVALID}
   */
  public static Checkpoint open(Path directory) {
    if (!RegularFile.exists(directory.resolve(INDEX))) {
      throw new LightmillException(ErrorCode.CHECKPOINT_INVALID, noCheckpoint(directory));
    }
    ComponentConfig index = ComponentConfig.read(directory.resolve(INDEX));
    Map<String, ComponentClass> classes = new TreeMap<>();
    for (var field : index.json().properties()) {
      if (isComponent(field.getKey(), field.getValue())) {
        if (!field.getKey().matches("\\w+")) {
          throw index.wrong(
              field.getKey(), "stored under a name of letters, digits and underscores");
        }
        requireDirectory(directory, field.getKey());
        classes.put(field.getKey(), componentClass(field.getValue()));
      }
    }
    if (!index.json().path("_class_name").isTextual()) {
      throw index.wrong("_class_name", "the name of a diffusers pipeline");
    }
    return new Checkpoint(directory, index.text("_class_name", ""), classes);
  }

  private static ComponentClass componentClass(JsonNode value) {
    return new ComponentClass(value.get(0).asText(), value.get(1).asText());
  }

  private static String noCheckpoint(Path path) {
    if (Files.isRegularFile(path)) {
      return "the checkpoint %s is a file, but %s. %s".formatted(path, LAYOUT, REFUSED_FILES);
    }
    return Files.isDirectory(path)
        ? "the checkpoint %s has no %s, but %s".formatted(path, INDEX, LAYOUT)
        : "the checkpoint %s does not exist; name an existing directory (%s)"
            .formatted(path, LAYOUT);
  }

  /** Components are stored as {@code [library, class]}; {@code [null, null]} is an omitted one. */
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
        "the checkpoint %s lacks its component '%s'; fetch the whole checkpoint"
            .formatted(directory, component));
  }

  /** The directory of a required component. */
  public Path component(String name) {
    if (!classes.containsKey(name)) {
      throw missing(directory, name);
    }
    return directory.resolve(name);
  }

  /** The name of a required component's class. */
  public String className(String component) {
    component(component);
    return classes.get(component).name();
  }

  /** The config of a component: {@code config.json}, or {@code scheduler_config.json}. */
  public ComponentConfig config(String component) {
    Path folder = component(component);
    List<String> names = List.of("config.json", component + "_config.json");
    return names.stream()
        .map(folder::resolve)
        .filter(RegularFile::exists)
        .findFirst()
        .map(ComponentConfig::read)
        .map(config -> config.withTensors(() -> WeightFiles.tensors(folder, variant)))
        .orElseThrow(
            () ->
                new LightmillException(
                    ErrorCode.CHECKPOINT_INVALID,
                    "%s has none of %s; fetch the checkpoint again".formatted(folder, names)));
  }

  /** {@code model_index.json}, which also holds settings of the pipeline. */
  public ComponentConfig index() {
    return ComponentConfig.read(directory.resolve(INDEX));
  }

  /** The weights of a component. */
  public WeightFiles weights(String component) {
    return WeightFiles.in(component(component), variant);
  }

  /**
   * SHA-256, in hex, over the names and contents of all files that affect pixels: weights, configs
   * and vocabularies, but not the model card. Reads every byte.
   */
  public String digest() {
    return CheckpointDigest.of(this);
  }
}
