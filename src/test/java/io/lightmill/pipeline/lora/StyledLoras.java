package io.lightmill.pipeline.lora;

import io.lightmill.pipeline.lora.DraftedLora.Rows;

/** Adapters of the reference models, in every style of names. */
final class StyledLoras {

  private static final String CLIP = "text_encoder/model.safetensors";
  private static final String T5 = "text_encoder_2/model.safetensors";

  private StyledLoras() {}

  /** In the style of PEFT, for a FLUX transformer. */
  static DraftedLora peft(String prefix) {
    return new DraftedLora(1)
        .peft(
            prefix + "transformer_blocks.1.attn.to_q",
            32,
            3,
            Rows.of("transformer_blocks.1.attn.to_q", 32))
        .peft(
            prefix + "transformer_blocks.0.ff.net.0.proj",
            32,
            5,
            Rows.of("transformer_blocks.0.ff.net.0.proj", 128))
        .peft(
            prefix + "time_text_embed.guidance_embedder.linear_2",
            32,
            2,
            Rows.of("time_text_embed.guidance_embedder.linear_2", 32))
        .peft(
            prefix + "single_transformer_blocks.2.proj_out",
            160,
            4,
            Rows.of("single_transformer_blocks.2.proj_out", 32));
  }

  /** Of FLUX's first release, in the style of kohya's scripts. */
  static DraftedLora originalFlux(String prefix, String dot) {
    String block = prefix + "double_blocks.1.".replace(".", dot);
    String single = prefix + "single_blocks.0.".replace(".", dot);
    String attention = "transformer_blocks.1.attn.";
    return new DraftedLora(2)
        .kohya(
            block + "txt_attn.qkv".replace(".", dot),
            32,
            4,
            2,
            Rows.of(attention + "add_q_proj", 32),
            Rows.of(attention + "add_k_proj", 32),
            Rows.of(attention + "add_v_proj", 32))
        .kohya(
            single + "linear1",
            32,
            3,
            3,
            Rows.of("single_transformer_blocks.0.attn.to_q", 32),
            Rows.of("single_transformer_blocks.0.attn.to_k", 32),
            Rows.of("single_transformer_blocks.0.attn.to_v", 32),
            Rows.of("single_transformer_blocks.0.proj_mlp", 128))
        .kohya(
            prefix + "final_layer.adaLN_modulation.1".replace(".", dot),
            32,
            2,
            1,
            Rows.of("norm_out.linear", 32, 32),
            Rows.of("norm_out.linear", 0, 32));
  }

  /** For both text encoders of FLUX. */
  static DraftedLora textEncoders() {
    return new DraftedLora(3)
        .kohya(
            "lora_te1_text_model_encoder_layers_0_mlp_fc1",
            24,
            2,
            1,
            new Rows(CLIP, "text_model.encoder.layers.0.mlp.fc1.weight", 0, 48))
        .peft(
            "text_encoder_2.encoder.block.1.layer.0.SelfAttention.v",
            40,
            2,
            new Rows(T5, "encoder.block.1.layer.0.SelfAttention.v.weight", 0, 40));
  }

  /** Of Stable Diffusion 3's first release, in the style of kohya's scripts. */
  static DraftedLora stableDiffusion3() {
    return new DraftedLora(4)
        .kohya(
            "lora_unet_joint_blocks_1_x_block_attn2_qkv",
            32,
            3,
            3,
            Rows.of("transformer_blocks.1.attn2.to_q", 32),
            Rows.of("transformer_blocks.1.attn2.to_k", 32),
            Rows.of("transformer_blocks.1.attn2.to_v", 32))
        .kohya(
            "lora_unet_joint_blocks_2_context_block_adaLN_modulation_1",
            32,
            3,
            6,
            Rows.of("transformer_blocks.2.norm1_context.linear", 32, 32),
            Rows.of("transformer_blocks.2.norm1_context.linear", 0, 32))
        .kohya(
            "lora_unet_joint_blocks_0_context_block_mlp_fc2",
            128,
            3,
            3,
            Rows.of("transformer_blocks.0.ff_context.net.2", 32));
  }

  /** In the style of ComfyUI. */
  static DraftedLora flux2() {
    return new DraftedLora(5)
        .peft(
            "diffusion_model.double_blocks.0.img_attn.qkv",
            48,
            3,
            Rows.of("transformer_blocks.0.attn.to_q", 48),
            Rows.of("transformer_blocks.0.attn.to_k", 48),
            Rows.of("transformer_blocks.0.attn.to_v", 48))
        .peft(
            "diffusion_model.single_blocks.1.linear1",
            48,
            3,
            Rows.of("single_transformer_blocks.1.attn.to_qkv_mlp_proj", 432));
  }

  /** In the style of kohya's scripts. */
  static DraftedLora qwenImage() {
    return new DraftedLora(6)
        .kohya(
            "lora_unet_transformer_blocks_2_img_mlp_net_2",
            192,
            3,
            3,
            Rows.of("transformer_blocks.2.img_mlp.net.2", 48))
        .kohya(
            "lora_unet_transformer_blocks_0_txt_mod_1",
            48,
            3,
            1,
            Rows.of("transformer_blocks.0.txt_mod.1", 288));
  }

  /** In the style of ComfyUI. */
  static DraftedLora zImage() {
    return new DraftedLora(7)
        .peft(
            "diffusion_model.layers.1.attention.qkv",
            48,
            3,
            Rows.of("layers.1.attention.to_q", 48),
            Rows.of("layers.1.attention.to_k", 48),
            Rows.of("layers.1.attention.to_v", 48))
        .peft(
            "diffusion_model.context_refiner.0.attention.out",
            48,
            3,
            Rows.of("context_refiner.0.attention.to_out.0", 48));
  }
}
