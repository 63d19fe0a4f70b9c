package io.lightmill.pipeline.lora;

import io.lightmill.pipeline.checkpoint.SafetensorsFile;
import io.lightmill.pipeline.checkpoint.TensorEntry;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The tensors of an adapter file, by layer.
 *
 * @param file that holds them
 * @param layers by their names in the file, without suffixes
 * @param faults that keep the file from being an adapter
 */
record LoraFile(SafetensorsFile file, Map<String, LoraFile.Layer> layers, List<String> faults) {

  /** PEFT may put the adapter's name before {@code .weight}. */
  private static final Pattern DOWN =
      Pattern.compile("(.+)\\.(?:lora_A|lora_down|lora\\.down)(?:\\.[^.]+)??\\.weight");

  private static final Pattern UP =
      Pattern.compile("(.+)\\.(?:lora_B|lora_up|lora\\.up)(?:\\.[^.]+)??\\.weight");

  private static final Pattern ALPHA = Pattern.compile("(.+)\\.alpha");

  /**
   * What an adapter adds to a layer: {@code alpha / rank * up(down(x))}.
   *
   * @param down {@code [rank, inputs]}
   * @param up {@code [outputs, rank]}
   * @param alpha one number of any type; null where the file has none
   */
  record Layer(TensorEntry down, TensorEntry up, TensorEntry alpha) {

    long rank() {
      return down.shape().get(0);
    }
  }

  static LoraFile of(SafetensorsFile file) {
    Map<String, TensorEntry> downs = new LinkedHashMap<>();
    Map<String, TensorEntry> ups = new LinkedHashMap<>();
    Map<String, TensorEntry> alphas = new LinkedHashMap<>();
    List<String> unknown = new ArrayList<>();
    List<String> integers = new ArrayList<>();
    for (TensorEntry entry : file.tensors().values()) {
      if (put(DOWN, entry, downs) || put(UP, entry, ups)) {
        if (!entry.dtype().floating()) {
          integers.add("'%s' is of type %s".formatted(entry.name(), entry.dtype()));
        }
      } else if (!put(ALPHA, entry, alphas)) {
        unknown.add(entry.name());
      }
    }
    List<String> faults = new ArrayList<>(OtherAdapters.faults(unknown));
    faults.addAll(integers);
    Map<String, Layer> layers = new LinkedHashMap<>();
    downs.forEach(
        (name, down) -> {
          TensorEntry up = ups.remove(name);
          if (up == null) {
            faults.add("'%s' has no up matrix (lora_B)".formatted(down.name()));
          } else if (areMatrices(down, up, faults)) {
            layers.put(name, new Layer(down, up, alphas.get(name)));
          }
        });
    ups.values().forEach(up -> faults.add("'%s' has no down matrix (lora_A)".formatted(up.name())));
    alphas.forEach(
        (name, alpha) -> {
          if (!downs.containsKey(name)) {
            faults.add("'%s' belongs to no matrices".formatted(alpha.name()));
          } else if (alpha.count() != 1) {
            faults.add("'%s' is of shape %s".formatted(alpha.name(), alpha.shape()));
          }
        });
    return new LoraFile(file, layers, List.copyOf(faults));
  }

  private static boolean put(Pattern pattern, TensorEntry entry, Map<String, TensorEntry> entries) {
    Matcher matcher = pattern.matcher(entry.name());
    if (matcher.matches()) {
      entries.put(matcher.group(1), entry);
    }
    return matcher.matches();
  }

  private static boolean areMatrices(TensorEntry down, TensorEntry up, List<String> faults) {
    boolean fit =
        down.shape().size() == 2
            && up.shape().size() == 2
            && down.shape().get(0).equals(up.shape().get(1));
    if (!fit) {
      faults.add(
          "'%s' of shape %s and '%s' of shape %s do not share a rank"
              .formatted(down.name(), down.shape(), up.name(), up.shape()));
    }
    return fit;
  }
}
