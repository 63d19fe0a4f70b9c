package io.lightmill.pipeline.checkpoint;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Layers that are one, with concatenated rows: in files by diffusers' {@code fuse_qkv_projections}
 * or of serving engines for language models, and in memory for {@linkplain #projections fewer
 * products}.
 */
final class FusedLayers {

  private static final Map<String, List<String>> PARTS =
      Map.of(
          "to_qkv", List.of("to_q", "to_k", "to_v"),
          "to_added_qkv", List.of("add_q_proj", "add_k_proj", "add_v_proj"),
          "qkv_proj", List.of("q_proj", "k_proj", "v_proj"),
          "gate_up_proj", List.of("gate_proj", "up_proj"));

  /** Those that products are computed as one of. */
  private static final List<String> PROJECTIONS = List.of("to_qkv", "to_added_qkv");

  private FusedLayers() {}

  /**
   * The layers of attention that one product can compute together.
   *
   * @param layers of a network
   * @return by the name of the fused layer
   */
  static Map<String, List<String>> projections(Set<String> layers) {
    Map<String, List<String>> fused = new LinkedHashMap<>();
    for (String layer : layers) {
      String prefix = layer.substring(0, layer.lastIndexOf('.') + 1);
      for (String name : PROJECTIONS) {
        List<String> parts = PARTS.get(name).stream().map(prefix::concat).toList();
        if (layer.equals(parts.get(0)) && layers.containsAll(parts)) {
          fused.put(prefix + name, parts);
        }
      }
    }
    return fused;
  }

  /**
   * Adds the parts of fused tensors to {@code found}, unless they are already present.
   *
   * @param shapes that the network needs
   * @param others tensors whose own names the network does not use
   * @return the names of the fused tensors
   */
  static Set<String> split(
      Map<String, List<Long>> shapes,
      Map<String, StoredTensor> others,
      Map<String, StoredTensor> found) {
    Set<String> fused = new HashSet<>();
    others.forEach(
        (name, stored) -> {
          List<String> parts = parts(name);
          if (!parts.isEmpty() && shapes.keySet().containsAll(parts)) {
            fused.add(name);
            if (rows(shapes, parts) == rows(stored)) {
              split(shapes, stored, parts, found);
            } else {
              found.putIfAbsent(parts.get(0), stored); // its shape is refused later
            }
          }
        });
    return fused;
  }

  private static void split(
      Map<String, List<Long>> shapes,
      StoredTensor stored,
      List<String> parts,
      Map<String, StoredTensor> found) {
    long row = 0;
    for (String part : parts) {
      long rows = shapes.get(part).get(0);
      TensorEntry entry = stored.entry().rows(stored.entry().name(), row, rows);
      found.putIfAbsent(part, new StoredTensor(stored.file(), entry));
      row += rows;
    }
  }

  /** The names of the parts of a fused tensor such as {@code blocks.0.attn.to_qkv.weight}. */
  private static List<String> parts(String name) {
    int suffix = name.lastIndexOf('.');
    int layer = name.lastIndexOf('.', suffix - 1) + 1;
    if (suffix < layer) {
      return List.of();
    }
    List<String> parts = new ArrayList<>();
    for (String part : PARTS.getOrDefault(name.substring(layer, suffix), List.of())) {
      parts.add(name.substring(0, layer) + part + name.substring(suffix));
    }
    return parts;
  }

  private static long rows(Map<String, List<Long>> shapes, List<String> parts) {
    return parts.stream().mapToLong(part -> shapes.get(part).get(0)).sum();
  }

  private static long rows(StoredTensor stored) {
    return stored.entry().shape().isEmpty() ? 0 : stored.entry().shape().get(0);
  }
}
