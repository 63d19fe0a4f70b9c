"""Every family's transformer at its released size, with random weights."""

import dataclasses
import typing

import torch

import torchscript


@dataclasses.dataclass
class Family:
    """A transformer with random weights.

    steps: of an image by the released model's defaults
    text_tokens: of each prompt
    width: channels of a token
    attentions: blocks, each of which attends once
    linear: multiply-adds per token in linear layers; text tokens' layers are as wide as image tokens'
    step: rows and columns of image tokens, and a batch -> a function that computes a step
    """

    steps: int
    text_tokens: int
    width: int
    attentions: int
    linear: float
    step: typing.Callable


class Shapes:
    """Shapes of a network's weights under diffusers' names, as its layout in Java declares them."""

    def __init__(self, biases):
        self.biases = biases
        self.shapes = {}
        self.per_token = 0

    def linear(self, name, inputs, outputs, per_token=True):
        self.shapes[name + ".weight"] = (outputs, inputs)
        if self.biases:
            self.shapes[name + ".bias"] = (outputs,)
        self.per_token += inputs * outputs if per_token else 0

    def norms(self, prefix, names, width):
        for name in names:
            self.shapes[f"{prefix}{name}.weight"] = (width,)

    def embedder(self, name, inputs, width):
        self.linear(name + ".linear_1", inputs, width, per_token=False)
        self.linear(name + ".linear_2", width, width, per_token=False)

    def attention(self, prefix, width, head, added):
        for name in ["to_q", "to_k", "to_v", "to_out.0"] + added:
            self.linear(prefix + name, width, width, per_token=name in ("to_q", "to_k", "to_v", "to_out.0"))
        self.norms(prefix, ["norm_q", "norm_k"] + (["norm_added_q", "norm_added_k"] if added else []), head)

    def feed_forward(self, name, width, per_token=True):
        self.linear(name + ".net.0.proj", width, 4 * width, per_token)
        self.linear(name + ".net.2", 4 * width, width, per_token)

    def weights(self, device, dtype):
        generator = torch.Generator(device).manual_seed(0)
        return {
            name: torch.randn(shape, generator=generator, device=device, dtype=dtype) * (0.02 if len(shape) == 2 else 0.1)
            for name, shape in self.shapes.items()
        }


ADDED = ["add_q_proj", "add_k_proj", "add_v_proj", "to_add_out"]
STACK = torchscript.load("weights", "Weights")


def flux(device, dtype, tiny):
    """FLUX.1-dev."""
    heads, double, single = (2, 1, 2) if tiny else (24, 19, 38)
    width, text, widths = heads * 128, 16 if tiny else 512, [16, 56, 56]
    shapes = Shapes(biases=True)
    shapes.linear("x_embedder", 64, width, per_token=False)
    shapes.linear("context_embedder", 4096, width, per_token=False)
    for name, inputs in (("timestep_embedder", 256), ("guidance_embedder", 256), ("text_embedder", 768)):
        shapes.embedder("time_text_embed." + name, inputs, width)
    shapes.linear("norm_out.linear", width, 2 * width, per_token=False)
    shapes.linear("proj_out", width, 64, per_token=False)
    for i in range(double):
        block = f"transformer_blocks.{i}."
        shapes.linear(block + "norm1.linear", width, 6 * width, per_token=False)
        shapes.linear(block + "norm1_context.linear", width, 6 * width, per_token=False)
        shapes.attention(block + "attn.", width, 128, ADDED)
        shapes.feed_forward(block + "ff", width)
        shapes.feed_forward(block + "ff_context", width, per_token=False)
    for i in range(single):
        block = f"single_transformer_blocks.{i}."
        shapes.linear(block + "norm.linear", width, 3 * width, per_token=False)
        shapes.linear(block + "proj_mlp", width, 4 * width)
        shapes.linear(block + "proj_out", 5 * width, width)
        for name in ("to_q", "to_k", "to_v"):
            shapes.linear(block + "attn." + name, width, width)
        shapes.norms(block + "attn.", ["norm_q", "norm_k"], 128)
    w = shapes.weights(device, dtype)
    network = torchscript.load("flux", "FluxTransformer2DModel")
    blocks, singles = STACK.stack(w, "transformer_blocks", double), STACK.stack(w, "single_transformer_blocks", single)

    def step(rows, columns, batch):
        rope = network.rope(text, rows, columns, widths, device)
        latents = torch.randn(batch, rows * columns, 64, device=device, dtype=dtype)
        context = torch.randn(batch, text, 4096, device=device, dtype=dtype)
        pooled = torch.randn(batch, 768, device=device, dtype=dtype)
        guidance = torch.full((batch,), 3.5, device=device, dtype=dtype)
        text_tokens = network.text_tokens(w, context)
        conditions = network.conditions(w, blocks, singles, torch.full((8,), 500.0, device=device), pooled, guidance)
        return lambda: network.forward(w, blocks, singles, latents, text_tokens, conditions, 0, rope, heads)

    return Family(28, text, width, double + single, shapes.per_token, step)


def flux2(device, dtype, tiny):
    """FLUX.2 klein, 4 B."""
    heads, double, single = (2, 1, 2) if tiny else (24, 5, 20)
    width, text, widths, inner = heads * 128, 16 if tiny else 512, [32, 32, 32, 32], 3 * heads * 128
    shapes = Shapes(biases=False)
    shapes.linear("x_embedder", 128, width, per_token=False)
    shapes.linear("context_embedder", 7680, width, per_token=False)
    shapes.embedder("time_guidance_embed.timestep_embedder", 256, width)
    for name, chunks in (("double_stream_modulation_img", 6), ("double_stream_modulation_txt", 6), ("single_stream_modulation", 3), ("norm_out", 2)):
        shapes.linear(name + ".linear", width, chunks * width, per_token=False)
    shapes.linear("proj_out", width, 128, per_token=False)
    for i in range(double):
        block = f"transformer_blocks.{i}."
        shapes.attention(block + "attn.", width, 128, ADDED)
        for stream in ("ff", "ff_context"):
            shapes.linear(block + stream + ".linear_in", width, 2 * inner, per_token=stream == "ff")
            shapes.linear(block + stream + ".linear_out", inner, width, per_token=stream == "ff")
    for i in range(single):
        attention = f"single_transformer_blocks.{i}.attn."
        shapes.linear(attention + "to_qkv_mlp_proj", width, 3 * width + 2 * inner)
        shapes.linear(attention + "to_out", width + inner, width)
        shapes.norms(attention, ["norm_q", "norm_k"], 128)
    w = shapes.weights(device, dtype)
    network = torchscript.load("flux2", "Flux2Transformer2DModel")
    blocks, singles = STACK.stack(w, "transformer_blocks", double), STACK.stack(w, "single_transformer_blocks", single)

    def step(rows, columns, batch):
        rope = network.rope(text, rows, columns, widths, 2000.0, device)
        latents = torch.randn(batch, rows * columns, 128, device=device, dtype=dtype)
        context = torch.randn(batch, text, 7680, device=device, dtype=dtype)
        return lambda: network.forward(w, blocks, singles, latents, context, 500.0, 256, rope, heads)

    return Family(4, text, width, double + single, shapes.per_token, step)


def sd3(device, dtype, tiny):
    """Stable Diffusion 3.5 Large."""
    heads, layers, side = (2, 2, 8) if tiny else (38, 38, 192)
    width, text = heads * 64, 16 if tiny else 333
    shapes = Shapes(biases=True)
    shapes.shapes["pos_embed.pos_embed"] = (1, side * side, width)
    shapes.shapes["pos_embed.proj.weight"], shapes.shapes["pos_embed.proj.bias"] = (width, 16, 2, 2), (width,)
    shapes.linear("context_embedder", 4096, width, per_token=False)
    for name, inputs in (("timestep_embedder", 256), ("text_embedder", 2048)):
        shapes.embedder("time_text_embed." + name, inputs, width)
    shapes.linear("norm_out.linear", width, 2 * width, per_token=False)
    shapes.linear("proj_out", width, 64, per_token=False)
    for i in range(layers):
        block, last = f"transformer_blocks.{i}.", i == layers - 1
        shapes.linear(block + "norm1.linear", width, 6 * width, per_token=False)
        shapes.linear(block + "norm1_context.linear", width, (2 if last else 6) * width, per_token=False)
        shapes.attention(block + "attn.", width, 64, ADDED[:3] if last else ADDED)
        shapes.feed_forward(block + "ff", width)
        if not last:
            shapes.feed_forward(block + "ff_context", width, per_token=False)
    w = shapes.weights(device, dtype)
    network = torchscript.load("stable_diffusion_3", "SD3Transformer2DModel")
    blocks = STACK.stack(w, "transformer_blocks", layers)

    def step(rows, columns, batch):
        latents = torch.randn(batch, 16, rows * 2, columns * 2, device=device, dtype=dtype)
        context = torch.randn(batch, text, 4096, device=device, dtype=dtype)
        pooled = torch.randn(batch, 2048, device=device, dtype=dtype)
        return lambda: network.forward(w, blocks, latents, context, pooled, 500.0, 2, side, heads)

    return Family(28, text, width, layers, shapes.per_token, step)


def qwen_image(device, dtype, tiny):
    """Qwen-Image."""
    heads, layers = (2, 2) if tiny else (24, 60)
    width, text, widths = heads * 128, 16 if tiny else 256, [16, 56, 56]
    shapes = Shapes(biases=True)
    shapes.norms("", ["txt_norm"], 3584)
    shapes.linear("img_in", 64, width, per_token=False)
    shapes.linear("txt_in", 3584, width, per_token=False)
    shapes.embedder("time_text_embed.timestep_embedder", 256, width)
    shapes.linear("norm_out.linear", width, 2 * width, per_token=False)
    shapes.linear("proj_out", width, 64, per_token=False)
    for i in range(layers):
        block = f"transformer_blocks.{i}."
        shapes.attention(block + "attn.", width, 128, ADDED)
        for stream in ("img", "txt"):
            shapes.linear(f"{block}{stream}_mod.1", width, 6 * width, per_token=False)
            shapes.feed_forward(f"{block}{stream}_mlp", width, per_token=stream == "img")
    w = shapes.weights(device, dtype)
    network = torchscript.load("qwen_image", "QwenImageTransformer2DModel")
    blocks = STACK.stack(w, "transformer_blocks", layers)

    def step(rows, columns, batch):
        rope = network.rope(text, rows, columns, widths, device)
        latents = torch.randn(batch, rows * columns, 64, device=device, dtype=dtype)
        context = torch.randn(batch, text, 3584, device=device, dtype=dtype)
        return lambda: network.forward(w, blocks, latents, context, [text] * batch, 500.0, rope, heads)

    return Family(50, text, width, layers, shapes.per_token, step)


def z_image(device, dtype, tiny):
    """Z-Image."""
    heads, layers, refiners = (2, 2, 1) if tiny else (30, 30, 2)
    width, text, widths = heads * 128, 32 if tiny else 256, [32, 48, 48]
    inner = width * 8 // 3
    shapes = Shapes(biases=False)
    shapes.linear("all_x_embedder.2-1", 64, width, per_token=False)
    shapes.shapes["x_pad_token"] = (1, width)
    shapes.linear("t_embedder.mlp.0", 256, 1024, per_token=False)
    shapes.linear("t_embedder.mlp.2", 1024, 256, per_token=False)
    shapes.linear("all_final_layer.2-1.adaLN_modulation.1", 256, width, per_token=False)
    shapes.linear("all_final_layer.2-1.linear", width, 64, per_token=False)
    for stack, count in (("noise_refiner", refiners), ("layers", layers)):
        for i in range(count):
            block = f"{stack}.{i}."
            shapes.attention(block + "attention.", width, 128, [])
            shapes.linear(block + "feed_forward.w1", width, inner)
            shapes.linear(block + "feed_forward.w3", width, inner)
            shapes.linear(block + "feed_forward.w2", inner, width)
            shapes.linear(block + "adaLN_modulation.0", 256, 4 * width, per_token=False)
            shapes.norms(block, ["attention_norm1", "attention_norm2", "ffn_norm1", "ffn_norm2"], width)
    w = shapes.weights(device, dtype)
    network = torchscript.load("z_image", "ZImageTransformer2DModel")
    refiner, blocks = STACK.stack(w, "noise_refiner", refiners), STACK.stack(w, "layers", layers)

    def step(rows, columns, batch):
        rope = network.rope([text] * batch, rows, columns, widths, 256.0, device)
        latents = torch.randn(batch, 16, rows * 2, columns * 2, device=device, dtype=dtype)
        captions = torch.randn(batch, text, width, device=device, dtype=dtype)
        return lambda: network.forward(w, refiner, blocks, latents, captions, [text] * batch, rope, 500.0, 1000.0, heads, 1e-5)

    return Family(9, text, width, refiners + layers, shapes.per_token, step)


FAMILIES = {"flux": flux, "flux2": flux2, "sd3": sd3, "qwen_image": qwen_image, "z_image": z_image}
