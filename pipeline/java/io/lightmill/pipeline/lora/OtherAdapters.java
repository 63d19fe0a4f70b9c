package io.lightmill.pipeline.lora;

import io.lightmill.pipeline.checkpoint.NameList;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** Recognises what adapter files hold besides low-rank matrices, by the names of their tensors. */
final class OtherAdapters {

  private static final Map<Pattern, String> KINDS = new LinkedHashMap<>();

  static {
    kind(".*(\\.dora_scale|\\.lora_magnitude_vector.*)", "DoRA, which also rescales weights");
    kind(".*\\.hada_.*", "LoHa (LyCORIS)");
    kind(".*\\.lokr_.*", "LoKr (LyCORIS)");
    kind(".*\\.lora_mid\\.weight", "LoCon with a middle matrix (LyCORIS)");
    kind(".*\\.(oft_.*|oft_diag|boft_.*|vera_lambda_.*|ia3_l)", "OFT, VeRA or IA3");
    kind(".*\\.(glora_.*|[ab][12]\\.weight)", "GLoRA (LyCORIS)");
    kind(".*\\.(diff|diff_b|set_weight|w_norm|b_norm)", "whole differences of weights");
    kind(".*\\.(lora_A|lora_B|lora_down|lora_up)(\\..+)?\\.bias", "LoRA with biases ('lora_bias')");
    kind(
        ".*\\.processor\\..*lora\\d*\\.(down|up)\\.weight",
        "LoRA of XLabs or of diffusers before 0.22");
    kind(".*\\.(quant_state\\..+|absmax|scale_weight)", "quantised matrices");
  }

  private OtherAdapters() {}

  private static void kind(String names, String description) {
    KINDS.put(Pattern.compile(names), description);
  }

  /**
   * One fault per kind of adapter, with the names of its tensors.
   *
   * @param unknown names that are no LoRA's
   */
  static List<String> faults(List<String> unknown) {
    Map<String, List<String>> kinds = new LinkedHashMap<>();
    for (String name : unknown) {
      kinds.computeIfAbsent(kind(name), absent -> new ArrayList<>()).add("'" + name + "'");
    }
    List<String> faults = new ArrayList<>();
    kinds.forEach(
        (kind, names) ->
            faults.add(
                kind.isEmpty()
                    ? "%s %s no part of a LoRA that Lightmill knows"
                        .formatted(NameList.of(names), names.size() == 1 ? "is" : "are")
                    : "it is an adapter of another kind, %s: %s"
                        .formatted(kind, NameList.of(names))));
    return faults;
  }

  private static String kind(String name) {
    return KINDS.entrySet().stream()
        .filter(kind -> kind.getKey().matcher(name).matches())
        .map(Map.Entry::getValue)
        .findFirst()
        .orElse("");
  }
}
