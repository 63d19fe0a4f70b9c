package io.lightmill.pipeline.lora;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Layers under the names of the models' first releases, which kohya's scripts and ComfyUI use for
 * adapters. A fused layer is several layers of diffusers, one after the other; the modulation of
 * the last norm returns shift and scale where diffusers' returns scale and shift.
 *
 * <p>Source: the conversion scripts of diffusers ({@code scripts/convert_flux_to_diffusers.py},
 * {@code convert_sd3_to_diffusers.py}, {@code loaders/lora_conversion_utils.py}).
 */
final class OriginalNames {

  /** Any number of a block, and the number of the last one. */
  private static final String ANY = "*";

  private static final String LAST = "$";

  private OriginalNames() {}

  /**
   * The original names of a transformer's layers.
   *
   * @param table lines of {@code original = diffusers' layers}; {@code *} stands for any block,
   *     {@code $} for the last one
   * @param layers of the transformer
   * @return the layers of each name
   */
  static Map<String, List<LayerPart>> of(String table, Set<String> layers) {
    Map<String, List<LayerPart>> names = new LinkedHashMap<>();
    table
        .lines()
        .forEach(
            line -> {
              String[] sides = line.split(" = ", -1);
              List<LayerPart> parts =
                  Arrays.stream(sides[1].split(" ", -1)).map(LayerPart::parse).toList();
              add(sides[0], parts, layers, names);
            });
    return names;
  }

  private static void add(
      String original,
      List<LayerPart> parts,
      Set<String> layers,
      Map<String, List<LayerPart>> names) {
    if (original.contains(ANY)) {
      blocks(parts, ANY, layers)
          .forEach(i -> names.put(numbered(original, ANY, i), numbered(parts, ANY, i)));
    } else if (original.contains(LAST)) {
      blocks(parts, LAST, layers)
          .max()
          .ifPresent(i -> names.put(numbered(original, LAST, i), numbered(parts, LAST, i)));
    } else if (there(parts, layers)) {
      names.put(original, parts);
    }
  }

  /** The numbers of the blocks that have these layers. */
  private static IntStream blocks(List<LayerPart> parts, String place, Set<String> layers) {
    return IntStream.range(0, layers.size()).filter(i -> there(numbered(parts, place, i), layers));
  }

  private static boolean there(List<LayerPart> parts, Set<String> layers) {
    return parts.stream().allMatch(part -> layers.contains(part.layer()));
  }

  private static List<LayerPart> numbered(List<LayerPart> parts, String place, int number) {
    return parts.stream()
        .map(part -> new LayerPart(numbered(part.layer(), place, number), part.part(), part.of()))
        .toList();
  }

  private static String numbered(String name, String place, int number) {
    return name.replace(place, Integer.toString(number));
  }
}
