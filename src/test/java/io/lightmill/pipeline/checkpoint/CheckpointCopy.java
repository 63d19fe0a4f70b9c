package io.lightmill.pipeline.checkpoint;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * A copy of a reference checkpoint that tests may change.
 *
 * @param directory that holds it
 */
public record CheckpointCopy(Path directory) {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Copies a model such as {@code flux-dev} to a directory. */
  public static CheckpointCopy of(String model, Path directory) throws IOException {
    return new CheckpointCopy(ReferenceCheckpoint.copy(model, directory));
  }

  /** A change of a value in place. */
  @FunctionalInterface
  public interface Change<T> {
    /** Changes the value. */
    void to(T value) throws IOException;
  }

  /** Changes the {@code config.json} of a component. */
  public void config(String component, Change<ObjectNode> change) throws IOException {
    Path file = directory.resolve(component).resolve("config.json");
    ObjectNode config = (ObjectNode) JSON.readTree(file.toFile());
    change.to(config);
    JSON.writeValue(file.toFile(), config);
  }

  /** Changes the tensors of a safetensors file, which is named without its extension. */
  public void change(String weights, Change<Map<String, StoredBytes>> change) throws IOException {
    Path file = directory.resolve(weights + ".safetensors");
    Map<String, StoredBytes> tensors = StoredBytes.read(file);
    change.to(tensors);
    StoredBytes.write(file, tensors);
  }

  /** Changes each tensor of a file. */
  public void rewrite(String weights, UnaryOperator<StoredBytes> each) throws IOException {
    change(weights, tensors -> tensors.replaceAll((name, tensor) -> each.apply(tensor)));
  }

  /** Replaces part of the names of a file's tensors. */
  public void rename(String weights, String from, String to) throws IOException {
    Path file = directory.resolve(weights + ".safetensors");
    Map<String, StoredBytes> renamed = new TreeMap<>();
    StoredBytes.read(file).forEach((name, tensor) -> renamed.put(name.replace(from, to), tensor));
    StoredBytes.write(file, renamed);
  }

  /** Distributes the tensors of a file over three shards. */
  public void shard(String weights) throws IOException {
    Path file = directory.resolve(weights + ".safetensors");
    List<Map<String, StoredBytes>> shards = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      shards.add(new TreeMap<>());
    }
    Map<String, String> weightMap = new HashMap<>();
    String stem = file.getFileName().toString().replace(".safetensors", "");
    int at = 0;
    for (Map.Entry<String, StoredBytes> tensor : StoredBytes.read(file).entrySet()) {
      int shard = at++ % shards.size();
      shards.get(shard).put(tensor.getKey(), tensor.getValue());
      weightMap.put(tensor.getKey(), shardName(stem, shard));
    }
    for (int i = 0; i < shards.size(); i++) {
      StoredBytes.write(file.resolveSibling(shardName(stem, i)), shards.get(i));
    }
    JSON.writeValue(
        file.resolveSibling(stem + ".safetensors.index.json").toFile(),
        Map.of("metadata", Map.of("total_size", 0), "weight_map", weightMap));
    Files.delete(file);
  }

  private static String shardName(String stem, int shard) {
    return "%s-%05d-of-00003.safetensors".formatted(stem, shard + 1);
  }
}
