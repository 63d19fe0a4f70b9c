"""Every family's transformer with random weights, at its released size or smaller."""

import dataclasses
import typing

import torch

import torchscript
from random_weights import STACK, Shapes, chosen

ADDED = ["add_q_proj", "add_k_proj", "add_v_proj", "to_add_out"]


@dataclasses.dataclass
class Family:
    """A transformer with random weights.

    steps: of an image by the released model's defaults
    text_tokens: of each prompt
    width: channels of a token
    attentions: blocks, each of which attends once
    linear: multiply-adds per token in linear layers; text tokens' layers are as wide as image tokens'
    inputs: rows and columns of image tokens, and a batch -> random tensors by name, [batch, ...]
    prepare: such tensors, rows and columns, and the length of each prompt -> a function that computes a step
    weights: by name
    """

    steps: int
    text_tokens: int
    width: int
    attentions: int
    linear: float
    inputs: typing.Callable
    prepare: typing.Callable
    weights: dict

    def step(self, rows, columns, batch):
        """A function that computes a step of prompts of full length."""
        return self.prepare(self.inputs(rows, columns, batch), rows, columns, [self.text_tokens] * batch)


def flux_shapes(heads, double, single, context=4096, pooled=768, guided=True):
    width, shapes = heads * 128, Shapes(biases=True)
    shapes.linear("x_embedder", 64, width, per_token=False)
    shapes.linear("context_embedder", context, width, per_token=False)
    embedders = [("timestep_embedder", 256), ("text_embedder", pooled)] + guided * [("guidance_embedder", 256)]
    for name, inputs in embedders:
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
    return shapes


def flux(numbers, size, fused=False):
    """FLUX.1-dev."""
    heads, double, single, text = chosen(size, (24, 19, 38, 512), (4, 3, 4, 77), (2, 1, 2, 16))
    width = heads * 128
    shapes = flux_shapes(heads, double, single)
    w = shapes.weights(numbers, fused)
    network = torchscript.load("flux", "FluxTransformer2DModel")

    def inputs(rows, columns, batch):
        shapes = {"latents": (batch, rows * columns, 64), "context": (batch, text, 4096), "pooled": (batch, 768)}
        return {name: numbers.normal(shape) for name, shape in shapes.items()}

    prepare = flux_prepare(network, w, heads, double, single, numbers)
    return Family(28, text, width, double + single, shapes.per_token, inputs, prepare, w)


def flux_prepare(network, w, heads, double, single, numbers):
    """What prepares a step of FLUX.1 for inputs."""
    blocks, singles = STACK.stack(w, "transformer_blocks", double), STACK.stack(w, "single_transformer_blocks", single)

    def prepare(x, rows, columns, lengths):
        rope = network.rope(max(lengths), rows, columns, [16, 56, 56], numbers.device)
        guidance = torch.full((len(lengths),), 4.0, device=numbers.device, dtype=numbers.dtype)  # 1000 times that is exact in 16 bits
        times = torch.full((8,), 500.0, device=numbers.device)
        txt = network.text_tokens(w, x["context"][:, : max(lengths)])
        conditions = network.conditions(w, blocks, singles, times, x["pooled"], guidance)
        return lambda: network.forward(w, blocks, singles, x["latents"], txt, conditions, 0, rope, heads)

    return prepare


def flux2(numbers, size, fused=False):
    """FLUX.2 klein, 4 B."""
    heads, double, single, text = chosen(size, (24, 5, 20, 512), (4, 3, 4, 77), (2, 1, 2, 16))
    width, widths, inner = heads * 128, [32, 32, 32, 32], 3 * heads * 128
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
    w = shapes.weights(numbers, fused)
    network = torchscript.load("flux2", "Flux2Transformer2DModel")
    blocks, singles = STACK.stack(w, "transformer_blocks", double), STACK.stack(w, "single_transformer_blocks", single)

    def inputs(rows, columns, batch):
        return {"latents": numbers.normal((batch, rows * columns, 128)), "context": numbers.normal((batch, text, 7680))}

    def prepare(x, rows, columns, lengths):
        rope = network.rope(max(lengths), rows, columns, widths, 2000.0, numbers.device)
        context = x["context"][:, : max(lengths)]
        return lambda: network.forward(w, blocks, singles, x["latents"], context, 500.0, 256, rope, heads)

    return Family(4, text, width, double + single, shapes.per_token, inputs, prepare, w)


def sd3(numbers, size, fused=False):
    """Stable Diffusion 3.5 Large."""
    heads, layers, side, text = chosen(size, (38, 38, 192, 333), (6, 5, 32, 141), (2, 2, 16, 16))
    width = heads * 64
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
    w = shapes.weights(numbers, fused)
    network = torchscript.load("stable_diffusion_3", "SD3Transformer2DModel")
    blocks = STACK.stack(w, "transformer_blocks", layers)

    def inputs(rows, columns, batch):
        shapes = {"latents": (batch, 16, rows * 2, columns * 2), "context": (batch, text, 4096), "pooled": (batch, 2048)}
        return {name: numbers.normal(shape) for name, shape in shapes.items()}

    def prepare(x, rows, columns, lengths):
        context = x["context"][:, : max(lengths)]
        return lambda: network.forward(w, blocks, x["latents"], context, x["pooled"], 500.0, 2, side, heads)

    return Family(28, text, width, layers, shapes.per_token, inputs, prepare, w)


def qwen_image(numbers, size, fused=False):
    """Qwen-Image."""
    heads, layers, text = chosen(size, (24, 60, 256), (4, 5, 77), (2, 2, 16))
    width, widths = heads * 128, [16, 56, 56]
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
    w = shapes.weights(numbers, fused)
    network = torchscript.load("qwen_image", "QwenImageTransformer2DModel")
    blocks = STACK.stack(w, "transformer_blocks", layers)

    def inputs(rows, columns, batch):
        return {"latents": numbers.normal((batch, rows * columns, 64)), "context": numbers.normal((batch, text, 3584))}

    def prepare(x, rows, columns, lengths):
        rope = network.rope(max(lengths), rows, columns, widths, numbers.device)
        context = x["context"][:, : max(lengths)]
        return lambda: network.forward(w, blocks, x["latents"], context, lengths, 500.0, rope, heads)

    return Family(50, text, width, layers, shapes.per_token, inputs, prepare, w)


def z_image(numbers, size, fused=False):
    """Z-Image."""
    heads, layers, refiners, text = chosen(size, (30, 30, 2, 256), (3, 4, 2, 77), (3, 2, 1, 32))
    width, widths = heads * 128, [32, 48, 48]
    inner, states = width * 8 // 3, 2560
    shapes = Shapes(biases=True)
    shapes.linear("all_x_embedder.2-1", 64, width, per_token=False)
    shapes.linear("cap_embedder.1", states, width, per_token=False)
    shapes.norms("cap_embedder.", ["0"], states)
    shapes.shapes["x_pad_token"], shapes.shapes["cap_pad_token"] = (1, width), (1, width)
    shapes.linear("t_embedder.mlp.0", 256, 1024, per_token=False)
    shapes.linear("t_embedder.mlp.2", 1024, 256, per_token=False)
    shapes.linear("all_final_layer.2-1.adaLN_modulation.1", 256, width, per_token=False)
    shapes.linear("all_final_layer.2-1.linear", width, 64, per_token=False)
    for stack, count in (("context_refiner", refiners), ("noise_refiner", refiners), ("layers", layers)):
        before = shapes.per_token
        for i in range(count):
            block = f"{stack}.{i}."
            shapes.biases = False
            shapes.attention(block + "attention.", width, 128, [])
            shapes.linear(block + "feed_forward.w1", width, inner)
            shapes.linear(block + "feed_forward.w3", width, inner)
            shapes.linear(block + "feed_forward.w2", inner, width)
            shapes.norms(block, ["attention_norm1", "attention_norm2", "ffn_norm1", "ffn_norm2"], width)
            shapes.biases = True
            if stack != "context_refiner":
                shapes.linear(block + "adaLN_modulation.0", 256, 4 * width, per_token=False)
        if stack == "context_refiner":  # once an image, not at each step
            shapes.per_token = before
    w = shapes.weights(numbers, fused)
    network = torchscript.load("z_image", "ZImageTransformer2DModel")
    context_refiner, refiner, blocks = (
        STACK.stack(w, stack, count) for stack, count in (("context_refiner", refiners), ("noise_refiner", refiners), ("layers", layers))
    )

    def inputs(rows, columns, batch):
        return {"latents": numbers.normal((batch, 16, rows * 2, columns * 2)), "context": numbers.normal((batch, text, states))}

    def prepare(x, rows, columns, lengths):
        rope = network.rope(lengths, rows, columns, widths, 256.0, numbers.device)
        captions = network.captions(w, context_refiner, x["context"], lengths, widths, 256.0, heads, 1e-5)
        return lambda: network.forward(w, refiner, blocks, x["latents"], captions, lengths, rope, 500.0, 1000.0, heads, 1e-5)

    return Family(9, text, width, refiners + layers, shapes.per_token, inputs, prepare, w)


FAMILIES = {"flux": flux, "flux2": flux2, "sd3": sd3, "qwen_image": qwen_image, "z_image": z_image}
