"""Text encoders and autoencoders with random weights, at their released sizes or smaller."""

import dataclasses
import typing

import torch

import torchscript
from random_weights import STACK, Shapes, chosen


@dataclasses.dataclass
class Component:
    """A text encoder or an autoencoder with random weights.

    inputs: a batch -> random ids [batch, tokens] of a text encoder, or latents [batch, channels, side, side]
    run: those -> its output
    weights: by name
    """

    inputs: typing.Callable
    run: typing.Callable
    weights: dict


class Layers(Shapes):
    """Shapes of convolutions, norms and linear layers under diffusers' and transformers' names."""

    def __init__(self):
        super().__init__(biases=True)

    def conv(self, name, inputs, outputs, *kernel):
        self.shapes[name + ".weight"], self.shapes[name + ".bias"] = (outputs, inputs, *kernel), (outputs,)

    def norm(self, name, width):
        self.shapes[name + ".weight"], self.shapes[name + ".bias"] = (width,), (width,)


def kl_shapes(latent, channels, resnets, post):
    """AutoencoderKL's decoder: channels of each level, the finest first."""
    shapes, levels = Layers(), channels[::-1]

    def resnet(name, inputs, outputs):
        shapes.norm(name + ".norm1", inputs)
        shapes.conv(name + ".conv1", inputs, outputs, 3, 3)
        shapes.norm(name + ".norm2", outputs)
        shapes.conv(name + ".conv2", outputs, outputs, 3, 3)
        if inputs != outputs:
            shapes.conv(name + ".conv_shortcut", inputs, outputs, 1, 1)

    if post:
        shapes.conv("post_quant_conv", latent, latent, 1, 1)
    shapes.conv("decoder.conv_in", latent, levels[0], 3, 3)
    resnet("decoder.mid_block.resnets.0", levels[0], levels[0])
    resnet("decoder.mid_block.resnets.1", levels[0], levels[0])
    attention = "decoder.mid_block.attentions.0."
    shapes.norm(attention + "group_norm", levels[0])
    for name in ("to_q", "to_k", "to_v", "to_out.0"):
        shapes.linear(attention + name, levels[0], levels[0])
    inputs = levels[0]
    for i, outputs in enumerate(levels):
        for j in range(resnets):
            resnet(f"decoder.up_blocks.{i}.resnets.{j}", inputs if j == 0 else outputs, outputs)
        if i < len(levels) - 1:
            shapes.conv(f"decoder.up_blocks.{i}.upsamplers.0.conv", outputs, outputs, 3, 3)
        inputs = outputs
    shapes.norm("decoder.conv_norm_out", levels[-1])
    shapes.conv("decoder.conv_out", levels[-1], 3, 3, 3)
    return shapes


def kl(numbers, size, latent, post):
    resnets, groups = 3, chosen(size, 32, 16, 4)
    channels = chosen(size, [128, 256, 512, 512], [32, 64, 64], [8, 16])
    w = kl_shapes(latent, channels, resnets, post).weights(numbers)
    network = torchscript.load("autoencoder_kl", "AutoencoderKL")
    side = chosen(size, 128, 24, 8)
    return Component(
        lambda batch: numbers.normal((batch, latent, side, side)), lambda x: network.decode(w, x, len(channels), resnets, groups), w
    )


def vae_flux(numbers, size):
    """AutoencoderKL of FLUX.1, SD3 and Z-Image."""
    return kl(numbers, size, 16, False)


def vae_flux2(numbers, size):
    """AutoencoderKLFlux2."""
    return kl(numbers, size, 32, True)


def vae_qwen(numbers, size):
    """AutoencoderKLQwenImage."""
    base, factors, resnets = chosen(size, 96, 32, 8), chosen(size, [1, 2, 4, 4], [1, 2, 2], [1, 2]), 3
    levels, shapes = [base * factor for factor in factors[::-1]], Layers()

    def norm(name, width, dimensions):
        shapes.shapes[name + ".gamma"] = (width, 1, 1, 1)[:dimensions]

    def resnet(name, inputs, outputs):
        norm(name + ".norm1", inputs, 4)
        shapes.conv(name + ".conv1", inputs, outputs, 3, 3, 3)
        norm(name + ".norm2", outputs, 4)
        shapes.conv(name + ".conv2", outputs, outputs, 3, 3, 3)
        if inputs != outputs:
            shapes.conv(name + ".conv_shortcut", inputs, outputs, 1, 1, 1)

    shapes.conv("post_quant_conv", 16, 16, 1, 1, 1)
    shapes.conv("decoder.conv_in", 16, levels[0], 3, 3, 3)
    resnet("decoder.mid_block.resnets.0", levels[0], levels[0])
    resnet("decoder.mid_block.resnets.1", levels[0], levels[0])
    attention = "decoder.mid_block.attentions.0."
    norm(attention + "norm", levels[0], 3)
    shapes.conv(attention + "to_qkv", levels[0], 3 * levels[0], 1, 1)
    shapes.conv(attention + "proj", levels[0], levels[0], 1, 1)
    inputs = levels[0]
    for i, outputs in enumerate(levels):
        for j in range(resnets):
            resnet(f"decoder.up_blocks.{i}.resnets.{j}", inputs if j == 0 else outputs, outputs)
        if i < len(levels) - 1:
            shapes.conv(f"decoder.up_blocks.{i}.upsamplers.0.resample.1", outputs, outputs // 2, 3, 3)
        inputs = outputs // 2
    norm("decoder.norm_out", levels[-1], 4)
    shapes.conv("decoder.conv_out", levels[-1], 3, 3, 3, 3)
    w = shapes.weights(numbers)
    network = torchscript.load("autoencoder_kl_qwen_image", "AutoencoderKLQwenImage")
    side = chosen(size, 128, 24, 8)
    return Component(lambda batch: numbers.normal((batch, 16, side, side)), lambda x: network.decode(w, x, len(levels), resnets), w)


def t5_shapes(width, inner, heads, layers, vocabulary):
    """T5's encoder with gated feed-forward layers and heads of 64 channels."""
    shapes = Shapes(biases=False)
    shapes.shapes["shared.weight"] = (vocabulary, width)
    shapes.shapes["encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"] = (32, heads)
    for i in range(layers):
        block = f"encoder.block.{i}.layer."
        shapes.norms(block, ["0.layer_norm", "1.layer_norm"], width)
        for name in ("q", "k", "v"):
            shapes.linear(block + "0.SelfAttention." + name, width, heads * 64)
        shapes.deviations[block + "0.SelfAttention.q.weight"] = width**-0.5 / 8  # T5 does not scale its products
        shapes.linear(block + "0.SelfAttention.o", heads * 64, width)
        for name in ("wi_0", "wi_1"):
            shapes.linear(block + "1.DenseReluDense." + name, width, inner)
        shapes.linear(block + "1.DenseReluDense.wo", inner, width)
    shapes.norms("encoder.", ["final_layer_norm"], width)
    return shapes


def t5(numbers, size):
    """The encoder of T5-XXL, of FLUX.1 and SD3."""
    width, inner, heads, layers = chosen(size, (4096, 10240, 64, 24), (256, 640, 4, 4), (64, 128, 1, 2))
    vocabulary, tokens = chosen(size, 32128, 1000, 100), chosen(size, 512, 200, 16)
    w = t5_shapes(width, inner, heads, layers, vocabulary).weights(numbers)
    network, blocks = torchscript.load("t5", "T5EncoderModel"), STACK.stack(w, "encoder.block", layers)

    def run(ids):
        bias = network.bias(blocks, ids.size(1), 32, 128)
        return network.forward(w, blocks, ids, bias, heads, "gelu_new", 1e-6)

    return Component(lambda batch: numbers.ids(batch, tokens, vocabulary), run, w)


def clip_shapes(width, inner, layers, vocabulary, prefix=""):
    """The text encoder of CLIP for 77 tokens."""
    shapes = Layers()
    shapes.shapes[prefix + "embeddings.token_embedding.weight"] = (vocabulary, width)
    shapes.shapes[prefix + "embeddings.position_embedding.weight"] = (77, width)
    for i in range(layers):
        layer = f"{prefix}encoder.layers.{i}."
        shapes.norm(layer + "layer_norm1", width)
        shapes.norm(layer + "layer_norm2", width)
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            shapes.linear(layer + "self_attn." + name, width, width)
        shapes.linear(layer + "mlp.fc1", width, inner)
        shapes.linear(layer + "mlp.fc2", inner, width)
    shapes.norm(prefix + "final_layer_norm", width)
    return shapes


def clip(numbers, size):
    """CLIP ViT-L/14's text encoder."""
    width, heads, layers, vocabulary = chosen(size, (768, 12, 12, 49408), (256, 4, 4, 1000), (64, 1, 2, 100))
    w = clip_shapes(width, 4 * width, layers, vocabulary).weights(numbers)
    network, blocks = torchscript.load("clip", "CLIPTextModel"), STACK.stack(w, "encoder.layers", layers)

    def run(ids):
        penultimate = network.penultimate(w, blocks, ids, heads, "quick_gelu", 1e-5)
        return network.last(w, blocks, penultimate, heads, "quick_gelu", 1e-5)

    return Component(lambda batch: numbers.ids(batch, 77, vocabulary), run, w)


def qwen(numbers, size, qwen3):
    """A language model as a text encoder of one text: 512 tokens, or text and some padding in the smaller sizes."""
    released = (2560, 9728, 32, 8, 36) if qwen3 else (3584, 18944, 28, 4, 28)
    width, inner, heads, key_heads, layers = chosen(size, released, (512, 1024, 4, 2, 4), (64, 128, 2, 1, 2))
    head = 128 if qwen3 else width // heads
    vocabulary, tokens, text = chosen(size, (152064, 512, 512), (1000, 200, 150), (100, 16, 12))
    shapes = Shapes(biases=False)
    shapes.shapes["embed_tokens.weight"] = (vocabulary, width)
    for i in range(layers):
        layer = f"layers.{i}."
        shapes.norms(layer, ["input_layernorm", "post_attention_layernorm"], width)
        shapes.biases = not qwen3
        for name, outputs in (("q_proj", heads), ("k_proj", key_heads), ("v_proj", key_heads)):
            shapes.linear(layer + "self_attn." + name, width, outputs * head)
        shapes.biases = False
        shapes.linear(layer + "self_attn.o_proj", heads * head, width)
        if qwen3:
            shapes.norms(layer + "self_attn.", ["q_norm", "k_norm"], head)
        for name, inputs, outputs in (("gate_proj", width, inner), ("up_proj", width, inner), ("down_proj", inner, width)):
            shapes.linear(f"{layer}mlp.{name}", inputs, outputs)
    shapes.norms("", ["norm"], width)
    w = shapes.weights(numbers)
    network, blocks = torchscript.load("qwen", "QwenModel"), STACK.stack(w, "layers", layers)
    return Component(
        lambda batch: numbers.ids(batch, tokens, vocabulary),
        lambda ids: network.forward(w, blocks, ids, text, [layers], heads, key_heads, head, 1e6, 1e-6),
        w,
    )


def qwen3(numbers, size):
    """Qwen3-4B, of Z-Image and FLUX.2 klein 4B."""
    return qwen(numbers, size, True)


def qwen25(numbers, size):
    """The text model of Qwen2.5-VL-7B, of Qwen-Image."""
    return qwen(numbers, size, False)


AUTOENCODERS = {"vae_flux": vae_flux, "vae_flux2": vae_flux2, "vae_qwen": vae_qwen}
TEXT_ENCODERS = {"t5": t5, "clip": clip, "qwen3": qwen3, "qwen2.5": qwen25}
