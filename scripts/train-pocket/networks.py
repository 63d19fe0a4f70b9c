"""The product's own network texts, run as Python for training, so that each network has one definition."""

import builtins
import pathlib
import re
import sys
import types
import typing

import torch
import torch.nn.functional as F

TEXTS = pathlib.Path(__file__).resolve().parents[2] / "pipeline/resources/torchscript"

# TorchScript's numbers for types.
TYPES = {3: torch.int32, 4: torch.int64, 6: torch.float32, 7: torch.float64}


def module(name, **content):
    """A module that the compiler can find by its name."""
    made = sys.modules[f"torchscript_{name}"] = types.ModuleType(f"torchscript_{name}")
    vars(made).update(content)
    return made


def load(*names):
    """The texts as modules that can import each other."""
    functions = module("functions", **vars(torch._C._nn) | vars(torch))  # `torch` as TorchScript knows it
    modules = {name: module(name) for name in names}
    for name, text in modules.items():
        source = re.sub(r"^import \w+\n", "", (TEXTS / f"{name}.py").read_text(encoding="utf-8"), flags=re.MULTILINE)
        source = re.sub(r"(?<=dtype=)(\d)\b|(?<=\.to\()(\d)(?=\))", r"TYPES[\1\2]", source)
        vars(text).update(
            modules, __builtins__=builtins, TYPES=TYPES, torch=functions, annotate=lambda _, value: value, Module=object,
            Tensor=torch.Tensor, Device=torch.device, Generator=torch.Generator,
            Dict=typing.Dict, List=typing.List, Optional=typing.Optional, Tuple=typing.Tuple)
        exec(compile(source, f"{name}.py", "exec"), vars(text))
    return modules


TEXT = load("nn", "flux", "clip", "t5", "autoencoder_kl", "flow")
nn, flux, clip, t5, autoencoder_kl = (TEXT[name] for name in ("nn", "flux", "clip", "t5", "autoencoder_kl"))


def linear(x, w, name):
    return F.linear(x, w[name + ".weight"], w.get(name + ".bias"))


def attention(q, k, v, mask=None):
    """On CPUs plain products, which are faster than the fused kernel for few tokens, backward above all. In FLUX no token is masked."""
    if q.is_cuda or not torch.is_grad_enabled():
        return nn.merge_heads(F.scaled_dot_product_attention(q, k, v))
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
    return nn.merge_heads(torch.softmax(scores, -1, dtype=torch.float32).to(v.dtype) @ v)


nn.attention = nn.masked_attention = attention
nn.channels_last = lambda x: x.contiguous(memory_format=torch.channels_last)
nn.rms_norm = lambda x, weight, eps: torch.rms_norm(x.float(), [x.size(-1)], weight, eps)  # one type, as the fused kernel requires
nn.unit_rms = lambda x, eps: torch.rms_norm(x, [x.size(-1)], None, eps)  # differentiable on GPUs, too
nn.gated_ = nn.gated  # gradients need the stream as it was
nn.angles = (lambda angles: lambda positions, widths, theta, dtype: angles(positions, widths, theta, TYPES[dtype]))(nn.angles)


def below(w, prefix):
    return {name[len(prefix):]: value for name, value in w.items() if name.startswith(prefix)}


def stack(w, prefix):
    count = 1 + max(int(name[len(prefix):].split(".")[0]) for name in w if name.startswith(prefix))
    return [below(w, f"{prefix}{i}.") for i in range(count)]


def velocity(w, config, latents, context, pooled, times, rope):
    """FluxTransformer2DModel.forward with a time in [0, 1] for each row."""
    temb = nn.embed(nn.sinusoid(times * 1000, 256), w, "time_text_embed.timestep_embedder") + nn.embed(pooled, w, "time_text_embed.text_embedder")
    blocks, single_blocks = stack(w, "transformer_blocks."), stack(w, "single_transformer_blocks.")
    transformer = flux.FluxTransformer2DModel()
    modulations = transformer.modulations(w, blocks, single_blocks, temb)
    hidden = [linear(latents, w, "x_embedder"), transformer.text_tokens(w, context), modulations]
    img = transformer.rest(blocks, single_blocks, hidden, 0, rope, config["num_attention_heads"])
    return transformer.project(w, img, hidden)


def rope(config, text_tokens, rows, columns):
    return flux.FluxTransformer2DModel().rope(text_tokens, rows, columns, config["axes_dims_rope"], "cpu")


def pooled(w, config, ids):
    """The pooled prompt of CLIP [batch, width]; ids end in the largest id."""
    x = F.embedding(ids, w["text_model.embeddings.token_embedding.weight"]) + w["text_model.embeddings.position_embedding.weight"][:ids.size(1)]
    for layer in stack(w, "text_model.encoder.layers."):
        x = clip.layer(x, layer, config["num_attention_heads"], config["hidden_act"], config["layer_norm_eps"])
    x = nn.layer_norm(x, w, "text_model.final_layer_norm", config["layer_norm_eps"])
    return clip.CLIPTextModel().pool(x, ids, config["eos_token_id"])


def context(w, config, ids):
    """The hidden states of T5 [batch, tokens, width]; it attends to padding, as in the product."""
    encoder, blocks = t5.T5EncoderModel(), stack(w, "encoder.block.")
    bias = encoder.bias(
        blocks, ids.size(1), config["relative_attention_num_buckets"], config["relative_attention_max_distance"])
    return encoder.forward(
        w, blocks, ids, bias, config["num_heads"], config["dense_act_fn"], config["layer_norm_epsilon"])


def encode(w, config, images):
    """The encoder of AutoencoderKL, which the product does not use: images in [-1, 1] -> means and log variances of latents."""
    groups, resnets = config["norm_num_groups"], config["layers_per_block"]
    x = nn.conv(images, w, "encoder.conv_in")
    for i in range(len(config["block_out_channels"])):
        block = f"encoder.down_blocks.{i}"
        for j in range(resnets):
            x = autoencoder_kl.resnet(x, w, f"{block}.resnets.{j}", groups)
        if f"{block}.downsamplers.0.conv.weight" in w:
            name = f"{block}.downsamplers.0.conv"
            x = F.conv2d(F.pad(x, (0, 1, 0, 1)), w[name + ".weight"], w[name + ".bias"], stride=2)
    x = autoencoder_kl.resnet(x, w, "encoder.mid_block.resnets.0", groups)
    x = autoencoder_kl.resnet(x, w, "encoder.mid_block.resnets.1", groups)
    x = nn.conv(F.silu(nn.group_norm(x, w, "encoder.conv_norm_out", groups)), w, "encoder.conv_out")
    return x.chunk(2, 1)


def decode(w, config, latents):
    """Latents from the encoder -> images in about [-1, 1]."""
    return autoencoder_kl.decoder(latents, w, len(config["block_out_channels"]), config["layers_per_block"] + 1, config["norm_num_groups"])


def pack(latents):
    return TEXT["flow"].Flow().pack(latents)


def unpack(tokens, rows, columns):
    return TEXT["flow"].Flow().unpack(tokens, rows, columns)
