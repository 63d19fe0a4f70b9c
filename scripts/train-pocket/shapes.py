"""Configurations and initial weights of Pocket's components, under diffusers' names."""

import math

import torch
from safetensors.torch import load_file

LATENT_CHANNELS = 12
TRANSFORMER = {
    "_class_name": "FluxTransformer2DModel", "patch_size": 1, "in_channels": 4 * LATENT_CHANNELS, "out_channels": None, "num_layers": 2,
    "num_single_layers": 6, "attention_head_dim": 32, "num_attention_heads": 6, "joint_attention_dim": 128, "pooled_projection_dim": 96,
    "guidance_embeds": False, "axes_dims_rope": [8, 12, 12],
}
AUTOENCODER = {
    "_class_name": "AutoencoderKL", "in_channels": 3, "out_channels": 3, "latent_channels": LATENT_CHANNELS, "block_out_channels": [16, 48, 96, 128],
    "down_block_types": ["DownEncoderBlock2D"] * 4, "up_block_types": ["UpDecoderBlock2D"] * 4, "layers_per_block": 1, "norm_num_groups": 8,
    "act_fn": "silu", "sample_size": 256, "mid_block_add_attention": False, "force_upcast": True, "use_quant_conv": False,
    "use_post_quant_conv": False, "latents_mean": None, "latents_std": None,
}
CLIP = {
    "architectures": ["CLIPTextModel"], "model_type": "clip_text_model", "hidden_size": 96, "intermediate_size": 192, "num_hidden_layers": 2,
    "num_attention_heads": 3, "max_position_embeddings": 77, "vocab_size": 914, "hidden_act": "quick_gelu", "layer_norm_eps": 1e-05,
    "projection_dim": 96, "bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2, "attention_dropout": 0.0, "initializer_factor": 1.0,
    "initializer_range": 0.02, "torch_dtype": "float16",
}
T5 = {
    "architectures": ["T5EncoderModel"], "model_type": "t5", "d_model": 128, "d_kv": 32, "d_ff": 256, "num_layers": 2, "num_heads": 4,
    "vocab_size": 616, "dense_act_fn": "gelu_new", "feed_forward_proj": "gated-gelu", "is_gated_act": True, "layer_norm_epsilon": 1e-06,
    "relative_attention_num_buckets": 32, "relative_attention_max_distance": 128, "dropout_rate": 0.0, "classifier_dropout": 0.0,
    "decoder_start_token_id": 0, "eos_token_id": 1, "pad_token_id": 0, "initializer_factor": 1.0, "is_decoder": False,
    "is_encoder_decoder": False, "num_decoder_layers": 2, "scale_decoder_outputs": True, "tie_word_embeddings": True, "use_cache": False,
    "torch_dtype": "float16",
}


class Weights(dict):
    """A dictionary of weights with methods that add layers."""

    def __init__(self, seed):
        super().__init__()
        self.generator = torch.Generator().manual_seed(seed)

    def normal(self, name, *shape, std):
        self[name] = torch.randn(*shape, generator=self.generator) * std

    def linear(self, name, inputs, outputs, bias=True, std=None):
        self.normal(f"{name}.weight", outputs, inputs, std=math.sqrt(2 / (inputs + outputs)) if std is None else std)
        if bias:
            self[f"{name}.bias"] = torch.zeros(outputs)

    def conv(self, name, inputs, outputs, size=3, gain=1.0):
        self.normal(f"{name}.weight", outputs, inputs, size, size, std=gain / math.sqrt(inputs * size * size))
        self[f"{name}.bias"] = torch.zeros(outputs)

    def norm(self, name, width, bias=True):
        self[f"{name}.weight"] = torch.ones(width)
        if bias:
            self[f"{name}.bias"] = torch.zeros(width)


def transformer(seed, c=TRANSFORMER):
    w, head = Weights(seed), c["attention_head_dim"]
    d = c["num_attention_heads"] * head
    w.linear("x_embedder", c["in_channels"], d)
    w.linear("context_embedder", c["joint_attention_dim"], d)
    for embedder, inputs in (("timestep_embedder", 256), ("text_embedder", c["pooled_projection_dim"])):
        w.linear(f"time_text_embed.{embedder}.linear_1", inputs, d)
        w.linear(f"time_text_embed.{embedder}.linear_2", d, d)
    for i in range(c["num_layers"]):
        b = f"transformer_blocks.{i}"
        for norm in ("norm1", "norm1_context"):
            w.linear(f"{b}.{norm}.linear", d, 6 * d, std=0)  # adaLN-Zero: a block starts as the identity
        for name in ("to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out"):
            w.linear(f"{b}.attn.{name}", d, d)
        for name in ("norm_q", "norm_k", "norm_added_q", "norm_added_k"):
            w.norm(f"{b}.attn.{name}", head, bias=False)
        for name in ("ff", "ff_context"):
            w.linear(f"{b}.{name}.net.0.proj", d, 4 * d)
            w.linear(f"{b}.{name}.net.2", 4 * d, d)
    for i in range(c["num_single_layers"]):
        b = f"single_transformer_blocks.{i}"
        w.linear(f"{b}.norm.linear", d, 3 * d, std=0)
        for name in ("to_q", "to_k", "to_v"):
            w.linear(f"{b}.attn.{name}", d, d)
        for name in ("norm_q", "norm_k"):
            w.norm(f"{b}.attn.{name}", head, bias=False)
        w.linear(f"{b}.proj_mlp", d, 4 * d)
        w.linear(f"{b}.proj_out", 5 * d, d)
    w.linear("norm_out.linear", d, 2 * d, std=0)
    w.linear("proj_out", d, c["in_channels"], std=0)
    return dict(w)


def clip(seed, c=CLIP):
    w, d = Weights(seed), c["hidden_size"]
    w.normal("text_model.embeddings.token_embedding.weight", c["vocab_size"], d, std=0.3)
    w.normal("text_model.embeddings.position_embedding.weight", c["max_position_embeddings"], d, std=0.1)
    for i in range(c["num_hidden_layers"]):
        b = f"text_model.encoder.layers.{i}"
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            w.linear(f"{b}.self_attn.{name}", d, d)
        w.linear(f"{b}.mlp.fc1", d, c["intermediate_size"])
        w.linear(f"{b}.mlp.fc2", c["intermediate_size"], d)
        for name in ("layer_norm1", "layer_norm2"):
            w.norm(f"{b}.{name}", d)
    w.norm("text_model.final_layer_norm", d)
    return dict(w)


def t5(seed, c=T5):
    w, d, inner = Weights(seed), c["d_model"], c["num_heads"] * c["d_kv"]
    w.normal("shared.weight", c["vocab_size"], d, std=1.0)
    for i in range(c["num_layers"]):
        b = f"encoder.block.{i}"
        w.linear(f"{b}.layer.0.SelfAttention.q", d, inner, bias=False, std=(d * c["d_kv"]) ** -0.5)  # T5 does not scale its scores
        for name in ("k", "v"):
            w.linear(f"{b}.layer.0.SelfAttention.{name}", d, inner, bias=False, std=d**-0.5)
        w.linear(f"{b}.layer.0.SelfAttention.o", inner, d, bias=False, std=inner**-0.5)
        for name in ("wi_0", "wi_1"):
            w.linear(f"{b}.layer.1.DenseReluDense.{name}", d, c["d_ff"], bias=False, std=d**-0.5)
        w.linear(f"{b}.layer.1.DenseReluDense.wo", c["d_ff"], d, bias=False, std=c["d_ff"] ** -0.5)
        for j in range(2):
            w.norm(f"{b}.layer.{j}.layer_norm", d, bias=False)
    w.normal("encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight", c["relative_attention_num_buckets"], c["num_heads"], std=0.1)
    w.norm("encoder.final_layer_norm", d, bias=False)
    return dict(w)


def autoencoder(seed, c=AUTOENCODER):
    w, channels, latents = Weights(seed), c["block_out_channels"], c["latent_channels"]

    def resnet(name, inputs, outputs):
        w.norm(f"{name}.norm1", inputs)
        w.conv(f"{name}.conv1", inputs, outputs)
        w.norm(f"{name}.norm2", outputs)
        w.conv(f"{name}.conv2", outputs, outputs, gain=0.5)
        if inputs != outputs:
            w.conv(f"{name}.conv_shortcut", inputs, outputs, size=1)

    w.conv("encoder.conv_in", 3, channels[0])
    for i, outputs in enumerate(channels):
        for j in range(c["layers_per_block"]):
            resnet(f"encoder.down_blocks.{i}.resnets.{j}", channels[max(i - 1, 0)] if j == 0 else outputs, outputs)
        if i + 1 < len(channels):
            w.conv(f"encoder.down_blocks.{i}.downsamplers.0.conv", outputs, outputs)
    w.conv("decoder.conv_in", latents, channels[-1])
    for side in ("encoder", "decoder"):
        for j in range(2):
            resnet(f"{side}.mid_block.resnets.{j}", channels[-1], channels[-1])
    w.norm("encoder.conv_norm_out", channels[-1])
    w.conv("encoder.conv_out", channels[-1], 2 * latents)
    w["encoder.conv_out.weight"][latents:] *= 0.1
    w["encoder.conv_out.bias"][latents:] = -5.0  # little noise at the start
    rising = channels[::-1]
    for i, outputs in enumerate(rising):
        for j in range(c["layers_per_block"] + 1):
            resnet(f"decoder.up_blocks.{i}.resnets.{j}", rising[max(i - 1, 0)] if j == 0 else outputs, outputs)
        if i + 1 < len(rising):
            w.conv(f"decoder.up_blocks.{i}.upsamplers.0.conv", outputs, outputs)
    w.norm("decoder.conv_norm_out", channels[0])
    w.conv("decoder.conv_out", channels[0], 3)
    return dict(w)


def trained(folder):
    """The weights of an exported component, for further training."""
    return {name: value.float() for name, value in load_file(next(folder.glob("*.safetensors"))).items()}
