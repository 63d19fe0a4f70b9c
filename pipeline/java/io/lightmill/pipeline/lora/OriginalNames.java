package io.lightmill.pipeline.lora;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Layers under the names of the models' first releases, which kohya's scripts and ComfyUI keep for
 * adapters. Their fused layers are several of diffusers', one after the other; and what modulates
 * the last norm gives shift and scale where diffusers' gives scale and shift.
 *
 * <p>Source: the conversion scripts of diffusers ({@code scripts/convert_flux_to_diffusers.py},
 * {@code convert_sd3_to_diffusers.py}, {@code loaders/lora_conversion_utils.py}).
 */
final class OriginalNames {

  /** Any number of a block, and the number of the last one. */
  private static final String ANY = "*";

  private static final String LAST = "$";

  private static final String FLUX =
      """
      img_in = x_embedder
      txt_in = context_embedder
      time_in.in_layer = time_text_embed.timestep_embedder.linear_1
      time_in.out_layer = time_text_embed.timestep_embedder.linear_2
      vector_in.in_layer = time_text_embed.text_embedder.linear_1
      vector_in.out_layer = time_text_embed.text_embedder.linear_2
      guidance_in.in_layer = time_text_embed.guidance_embedder.linear_1
      guidance_in.out_layer = time_text_embed.guidance_embedder.linear_2
      double_blocks.*.img_mod.lin = transformer_blocks.*.norm1.linear
      double_blocks.*.txt_mod.lin = transformer_blocks.*.norm1_context.linear
      double_blocks.*.img_attn.qkv = transformer_blocks.*.attn.to_q transformer_blocks.*.attn.to_k transformer_blocks.*.attn.to_v
      double_blocks.*.txt_attn.qkv = transformer_blocks.*.attn.add_q_proj transformer_blocks.*.attn.add_k_proj transformer_blocks.*.attn.add_v_proj
      double_blocks.*.img_attn.proj = transformer_blocks.*.attn.to_out.0
      double_blocks.*.txt_attn.proj = transformer_blocks.*.attn.to_add_out
      double_blocks.*.img_mlp.0 = transformer_blocks.*.ff.net.0.proj
      double_blocks.*.img_mlp.2 = transformer_blocks.*.ff.net.2
      double_blocks.*.txt_mlp.0 = transformer_blocks.*.ff_context.net.0.proj
      double_blocks.*.txt_mlp.2 = transformer_blocks.*.ff_context.net.2
      single_blocks.*.modulation.lin = single_transformer_blocks.*.norm.linear
      single_blocks.*.linear1 = single_transformer_blocks.*.attn.to_q single_transformer_blocks.*.attn.to_k single_transformer_blocks.*.attn.to_v single_transformer_blocks.*.proj_mlp
      single_blocks.*.linear2 = single_transformer_blocks.*.proj_out
      final_layer.adaLN_modulation.1 = norm_out.linear[1/2] norm_out.linear[0/2]
      final_layer.linear = proj_out
      """;

  private static final String FLUX2 =
      """
      img_in = x_embedder
      txt_in = context_embedder
      time_in.in_layer = time_guidance_embed.timestep_embedder.linear_1
      time_in.out_layer = time_guidance_embed.timestep_embedder.linear_2
      double_stream_modulation_img.lin = double_stream_modulation_img.linear
      double_stream_modulation_txt.lin = double_stream_modulation_txt.linear
      single_stream_modulation.lin = single_stream_modulation.linear
      double_blocks.*.img_attn.qkv = transformer_blocks.*.attn.to_q transformer_blocks.*.attn.to_k transformer_blocks.*.attn.to_v
      double_blocks.*.txt_attn.qkv = transformer_blocks.*.attn.add_q_proj transformer_blocks.*.attn.add_k_proj transformer_blocks.*.attn.add_v_proj
      double_blocks.*.img_attn.proj = transformer_blocks.*.attn.to_out.0
      double_blocks.*.txt_attn.proj = transformer_blocks.*.attn.to_add_out
      double_blocks.*.img_mlp.0 = transformer_blocks.*.ff.linear_in
      double_blocks.*.img_mlp.2 = transformer_blocks.*.ff.linear_out
      double_blocks.*.txt_mlp.0 = transformer_blocks.*.ff_context.linear_in
      double_blocks.*.txt_mlp.2 = transformer_blocks.*.ff_context.linear_out
      single_blocks.*.linear1 = single_transformer_blocks.*.attn.to_qkv_mlp_proj
      single_blocks.*.linear2 = single_transformer_blocks.*.attn.to_out
      final_layer.adaLN_modulation.1 = norm_out.linear[1/2] norm_out.linear[0/2]
      final_layer.linear = proj_out
      """;

  private static final String STABLE_DIFFUSION_3 =
      """
      context_embedder = context_embedder
      t_embedder.mlp.0 = time_text_embed.timestep_embedder.linear_1
      t_embedder.mlp.2 = time_text_embed.timestep_embedder.linear_2
      y_embedder.mlp.0 = time_text_embed.text_embedder.linear_1
      y_embedder.mlp.2 = time_text_embed.text_embedder.linear_2
      joint_blocks.*.x_block.attn.qkv = transformer_blocks.*.attn.to_q transformer_blocks.*.attn.to_k transformer_blocks.*.attn.to_v
      joint_blocks.*.x_block.attn.proj = transformer_blocks.*.attn.to_out.0
      joint_blocks.*.x_block.attn2.qkv = transformer_blocks.*.attn2.to_q transformer_blocks.*.attn2.to_k transformer_blocks.*.attn2.to_v
      joint_blocks.*.x_block.attn2.proj = transformer_blocks.*.attn2.to_out.0
      joint_blocks.*.x_block.mlp.fc1 = transformer_blocks.*.ff.net.0.proj
      joint_blocks.*.x_block.mlp.fc2 = transformer_blocks.*.ff.net.2
      joint_blocks.*.x_block.adaLN_modulation.1 = transformer_blocks.*.norm1.linear
      joint_blocks.*.context_block.attn.qkv = transformer_blocks.*.attn.add_q_proj transformer_blocks.*.attn.add_k_proj transformer_blocks.*.attn.add_v_proj
      joint_blocks.*.context_block.attn.proj = transformer_blocks.*.attn.to_add_out
      joint_blocks.*.context_block.mlp.fc1 = transformer_blocks.*.ff_context.net.0.proj
      joint_blocks.*.context_block.mlp.fc2 = transformer_blocks.*.ff_context.net.2
      joint_blocks.*.context_block.adaLN_modulation.1 = transformer_blocks.*.norm1_context.linear
      joint_blocks.$.context_block.adaLN_modulation.1 = transformer_blocks.$.norm1_context.linear[1/2] transformer_blocks.$.norm1_context.linear[0/2]
      final_layer.adaLN_modulation.1 = norm_out.linear[1/2] norm_out.linear[0/2]
      final_layer.linear = proj_out
      """;

  private static final String Z_IMAGE =
      """
      x_embedder = all_x_embedder.2-1
      layers.*.attention.qkv = layers.*.attention.to_q layers.*.attention.to_k layers.*.attention.to_v
      layers.*.attention.out = layers.*.attention.to_out.0
      noise_refiner.*.attention.qkv = noise_refiner.*.attention.to_q noise_refiner.*.attention.to_k noise_refiner.*.attention.to_v
      noise_refiner.*.attention.out = noise_refiner.*.attention.to_out.0
      context_refiner.*.attention.qkv = context_refiner.*.attention.to_q context_refiner.*.attention.to_k context_refiner.*.attention.to_v
      context_refiner.*.attention.out = context_refiner.*.attention.to_out.0
      final_layer.linear = all_final_layer.2-1.linear
      final_layer.adaLN_modulation.1 = all_final_layer.2-1.adaLN_modulation.1
      """;

  /** By diffusers' pipeline class. Qwen-Image's first release has diffusers' names. */
  private static final Map<String, String> TABLES =
      Map.of(
          "FluxPipeline", FLUX,
          "Flux2KleinPipeline", FLUX2,
          "StableDiffusion3Pipeline", STABLE_DIFFUSION_3,
          "ZImagePipeline", Z_IMAGE);

  private OriginalNames() {}

  /**
   * The original names of a transformer's layers.
   *
   * @param pipelineClass diffusers' class
   * @param layers of the transformer
   * @return what each of them stands for
   */
  static Map<String, List<LayerPart>> of(String pipelineClass, Set<String> layers) {
    Map<String, List<LayerPart>> names = new LinkedHashMap<>();
    TABLES
        .getOrDefault(pipelineClass, "")
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
