package io.lightmill.pipeline.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * The weights of one component: a single safetensors file, or shards under an {@code
 * .safetensors.index.json}.
 *
 * @param location the single file, or the index of the shards
 * @param files that hold the weights; no tensor is in two of them
 */
public record WeightFiles(Path location, List<SafetensorsFile> files) {

  static final String INDEX = ".safetensors.index.json";

  /** Where there are no weights to count; no released model has a tenth. */
  private static final long MOST_TENSORS = 10_000;

  public WeightFiles {
    files = List.copyOf(files);
  }

  /** The name of the component, which is that of its directory. */
  public String component() {
    return location.getParent().getFileName().toString();
  }

  /**
   * Finds the weights of a component and checks their headers.
   *
   * @param variant such as {@code fp16}, which is read if it exists; if there are no plain weights,
   *     the only variant is read even if it is not requested
   * @throws LightmillException with {@code WEIGHTS_INVALID} if there are none, a shard is missing
   *     or invalid, or the index contradicts the shards
   */
  public static WeightFiles in(Path directory, Optional<String> variant) {
    Path found =
        located(directory, variant)
            .orElseThrow(
                () -> new LightmillException(ErrorCode.WEIGHTS_INVALID, absence(directory)));
    return found.toString().endsWith(".json")
        ? sharded(directory, found)
        : new WeightFiles(found, List.of(SafetensorsFile.open(found)));
  }

  /** The files that hold the weights of a directory; none if it has no weights. */
  static Set<Path> paths(Path directory, Optional<String> variant) {
    Set<Path> paths = new HashSet<>();
    if (located(directory, variant).isPresent()) {
      WeightFiles weights = in(directory, variant);
      paths.add(weights.location());
      weights.files().forEach(file -> paths.add(file.path()));
    }
    return paths;
  }

  /** The number of tensors in a directory's weights; the most that a config may have without. */
  static long tensors(Path directory, Optional<String> variant) {
    return located(directory, variant).isEmpty()
        ? MOST_TENSORS
        : in(directory, variant).files().stream().mapToLong(file -> file.tensors().size()).sum();
  }

  /**
   * Checks that the files have the weights of a network; reads headers only.
   *
   * @throws LightmillException with {@code WEIGHTS_INVALID} if any is missing, of another shape, or
   *     quantised
   */
  public void require(WeightLayout layout) {
    StoredTensor.of(layout, this);
  }

  private static Optional<Path> located(Path directory, Optional<String> variant) {
    try {
      return new WeightNames(directory).find(variant);
    } catch (IOException e) {
      throw new LightmillException(
          ErrorCode.CHECKPOINT_INVALID,
          "%s cannot be listed (%s); check that it is readable".formatted(directory, e),
          e);
    }
  }

  private static WeightFiles sharded(Path directory, Path location) {
    ComponentConfig index = ComponentConfig.read(location, RegularFile.VOCABULARY_BYTES);
    JsonNode map = index.json().path("weight_map");
    if (!map.isObject() || map.isEmpty()) {
      throw index.wrong("weight_map", "an object of tensor names and files");
    }
    Map<String, String> indexed = new TreeMap<>();
    map.properties().forEach(e -> indexed.put(e.getKey(), e.getValue().asText()));
    Set<String> names = new TreeSet<>(indexed.values());
    if (!names.stream().allMatch(name -> name.matches("[\\w.-]+\\.safetensors"))) {
      throw index.wrong("weight_map", "made of names of safetensors files beside it");
    }
    requireShards(directory, location, names);
    Map<String, String> found = new TreeMap<>();
    List<SafetensorsFile> files = new ArrayList<>();
    for (String name : names) {
      SafetensorsFile file = SafetensorsFile.open(directory.resolve(name));
      file.tensors().keySet().forEach(tensor -> found.merge(tensor, name, "%s and %s"::formatted));
      files.add(file);
    }
    if (!found.equals(indexed)) {
      throw contradiction(location, indexed, found);
    }
    return new WeightFiles(location, files);
  }

  private static void requireShards(Path directory, Path index, Set<String> names) {
    List<String> missing =
        names.stream().filter(name -> !RegularFile.exists(directory.resolve(name))).toList();
    if (!missing.isEmpty()) {
      throw new LightmillException(
          ErrorCode.WEIGHTS_INVALID,
          "%s names shards that are missing: %s; download them"
              .formatted(index, NameList.of(missing)));
    }
  }

  private static LightmillException contradiction(
      Path index, Map<String, String> indexed, Map<String, String> found) {
    List<String> differing = new ArrayList<>();
    Set<String> names = new TreeSet<>(indexed.keySet());
    names.addAll(found.keySet());
    for (String name : names) {
      String said = indexed.getOrDefault(name, "nowhere");
      String seen = found.getOrDefault(name, "nowhere");
      if (!said.equals(seen)) {
        differing.add("'%s' is indexed in %s and found in %s".formatted(name, said, seen));
      }
    }
    return new LightmillException(
        ErrorCode.WEIGHTS_INVALID,
        "%s contradicts its shards: %s; fetch the checkpoint again"
            .formatted(index, NameList.of(differing)));
  }

  /** Why a directory has no weights, by what it has instead. */
  private static String absence(Path directory) {
    try (Stream<Path> files = Files.list(directory)) {
      List<String> names = files.map(file -> file.getFileName().toString()).sorted().toList();
      return instead(names, "bin|pt|pth|ckpt|pkl|msgpack|h5|onnx")
          .map(
              found ->
                  "%s has its weights as %s; Lightmill loads safetensors only, because pickles can run code: convert them (save_pretrained with safe_serialization=True)"
                      .formatted(directory, found))
          .or(
              () ->
                  instead(names, "gguf")
                      .map(
                          found ->
                              "%s has its weights as %s, which are quantised; use the model's safetensors in F32, F16 or BF16"
                                  .formatted(directory, found)))
          .or(
              () ->
                  instead(names, "incomplete|part|tmp")
                      .map(
                          found ->
                              "%s has downloads that were cut off: %s; download them again"
                                  .formatted(directory, found)))
          .orElseGet(
              () ->
                  "%s has no safetensors weights; fetch the checkpoint again".formatted(directory));
    } catch (IOException e) {
      return "%s cannot be listed (%s); check that it is readable".formatted(directory, e);
    }
  }

  private static Optional<String> instead(List<String> names, String extensions) {
    List<String> found =
        names.stream().filter(name -> name.matches(".*\\.(%s)".formatted(extensions))).toList();
    return Optional.of(NameList.of(found)).filter(list -> !found.isEmpty());
  }
}
