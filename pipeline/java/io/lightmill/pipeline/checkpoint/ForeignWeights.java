package io.lightmill.pipeline.checkpoint;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Recognises weights in a form that networks do not load, by the names of their tensors: quantised
 * ones, and those that were saved from a model within another module.
 *
 * @param cause what the file is
 * @param fix what a user can do
 */
record ForeignWeights(String cause, String fix) {

  private static final String UNQUANTISED =
      "use the model's weights in F32, F16 or BF16, which are not quantised";

  private static final String CONVERT =
      "convert it with diffusers (from_single_file, then save_pretrained)";

  private record Mark(Pattern names, ForeignWeights meaning) {

    static Mark of(String names, String cause, String fix) {
      return new Mark(Pattern.compile(names), new ForeignWeights(cause, fix));
    }
  }

  /** The names of each tool's tensors; the first that match decide. */
  private static final List<Mark> QUANTISED =
      List.of(
          Mark.of(
              ".*\\.(absmax|quant_map|nested_absmax|nested_quant_map|quant_state\\..+|SCB|weight_format)",
              "is quantised with bitsandbytes",
              UNQUANTISED),
          Mark.of(
              ".*\\.(wscales|wzeros|wtscale|wcscales|smooth|smooth_orig|smooth_factor|smooth_factor_orig)",
              "is quantised with SVDQuant (Nunchaku)",
              UNQUANTISED),
          Mark.of(
              ".*\\.(qweight|qzeros|g_idx)",
              "is quantised with a tool such as GPTQ or AWQ",
              UNQUANTISED),
          Mark.of(
              ".*\\.(weight_packed|weight_zero_point|weight_global_scale)",
              "is quantised with compressed-tensors",
              UNQUANTISED),
          Mark.of(
              ".*\\.(_data|_scale|_shift|_packed|input_scale|output_scale)",
              "is quantised with a tool such as optimum-quanto",
              UNQUANTISED),
          Mark.of(
              "(.*\\.)?(scaled_fp8|scale_weight|weight_scale|weight_scale_inv|scale_input)",
              "has scaled weights, as tools for 8-bit floats save them",
              UNQUANTISED),
          Mark.of(".*\\.W_q", "is quantised with HQQ", UNQUANTISED));

  private static final Mark COMPILED =
      Mark.of(
          "(.*\\.)?_orig_mod\\..*",
          "was saved from a compiled model (prefix '_orig_mod.')",
          "save the model that was compiled (model._orig_mod.save_pretrained)");

  private static final Mark ORIGINAL =
      Mark.of(
          "(model\\.diffusion_model\\.)?(double_blocks|single_blocks|joint_blocks)\\..*",
          "has the layer names of the model's first release, as single-file checkpoints and ComfyUI"
              + " have them",
          CONVERT);

  /** Prefixes that tools add to all names. */
  private static final Map<String, ForeignWeights> PREFIXES =
      Map.of(
          "module.",
          new ForeignWeights(
              "was saved from a model under DataParallel (prefix 'module.')",
              "save the model within (model.module.save_pretrained)"),
          "model.diffusion_model.",
          new ForeignWeights(
              "has the layout of a single-file checkpoint (prefix 'model.diffusion_model.')",
              CONVERT));

  /** The tool that quantised a file; empty if it is not quantised. */
  static Optional<ForeignWeights> quantised(Collection<String> names) {
    return QUANTISED.stream().filter(mark -> matches(mark, names)).map(Mark::meaning).findFirst();
  }

  /**
   * The reason why a file lacks weights of a network.
   *
   * @param needed names of the network
   * @param unknown names of the file that are no names of the network
   */
  static Optional<ForeignWeights> of(Set<String> needed, Collection<String> unknown) {
    return quantised(unknown)
        .or(() -> Optional.of(COMPILED).filter(mark -> matches(mark, unknown)).map(Mark::meaning))
        .or(() -> prefixed(needed, unknown))
        .or(() -> Optional.of(ORIGINAL).filter(mark -> matches(mark, unknown)).map(Mark::meaning));
  }

  private static boolean matches(Mark mark, Collection<String> names) {
    return names.stream().anyMatch(name -> mark.names().matcher(name).matches());
  }

  /** A prefix before most of the network's names. */
  private static Optional<ForeignWeights> prefixed(Set<String> needed, Collection<String> unknown) {
    Map<String, Integer> prefixes = new HashMap<>();
    for (String name : unknown) {
      for (int dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
        if (needed.contains(name.substring(dot + 1))) {
          prefixes.merge(name.substring(0, dot + 1), 1, Integer::sum);
          break;
        }
      }
    }
    return prefixes.entrySet().stream()
        .filter(prefix -> prefix.getValue() * 2 > needed.size())
        .map(
            prefix ->
                PREFIXES.getOrDefault(
                    prefix.getKey(),
                    new ForeignWeights(
                        "has the prefix '%s' before its names".formatted(prefix.getKey()),
                        "save the component alone with save_pretrained")))
        .findFirst();
  }
}
