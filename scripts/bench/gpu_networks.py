"""Seconds per denoising step of every family's transformer on a GPU, and what limits them.

Runs the project's own network texts with random bf16 weights of the released models' sizes, so it needs no checkpoint.
It prints the matrix products per second that the device reaches at its best (the measured peak), and for each family a
step at each batch: seconds, images per second over the family's usual number of steps, share of the measured peak, and
the same under TorchScript's optimising executor, which Lightmill turns off on CPUs. Then come products of the sizes of
FLUX.1-dev's layers in 16 and in 8 bits (E4M3, one scale a tensor). Attention counts as products, too.

Usage: python gpu_networks.py [--families flux sd3 …] [--side 1024] [--batches 1 2]     (needs torch with CUDA)
       python gpu_networks.py --device cpu --tiny                                       (checks that the script runs)
"""

import argparse
import dataclasses
import json
import statistics
import time
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


class Clock:
    """Median seconds of a function on a device."""

    def __init__(self, device, runs):
        self.wait = torch.cuda.synchronize if device.startswith("cuda") else lambda: None
        self.runs = runs

    def seconds(self, work):
        taken = []
        for _ in range(self.runs + 3):  # the first ones warm up
            self.wait()
            start = time.perf_counter()
            work()
            self.wait()
            taken.append(time.perf_counter() - start)
        return statistics.median(taken[3:])


def flops(family, image_tokens):
    """Floating-point operations of a step of one image: linear layers of all tokens, and attention."""
    tokens = image_tokens + family.text_tokens
    return 2 * tokens * family.linear + 4 * family.attentions * tokens**2 * family.width


def peak(device, dtype, clock, tiny):
    """Operations per second of a large square product."""
    n = 256 if tiny else 8192
    a, b = (torch.randn(n, n, device=device, dtype=dtype) for _ in range(2))
    return 2 * n**3 / clock.seconds(lambda: a @ b)


def eight_bits(device, dtype, clock, tiny):
    """Products of FLUX.1-dev's layers in 16 and in 8 bits: rows of figures, or why there are none."""
    tokens, width = (64, 256) if tiny else (4608, 3072)
    rows = []
    for inputs, outputs in ((width, 3 * width), (width, 4 * width), (5 * width, width)):
        x = torch.randn(tokens, inputs, device=device, dtype=dtype)
        w = torch.randn(outputs, inputs, device=device, dtype=dtype) * 0.02
        try:
            x8, x_scale = quantised(x)
            w8, w_scale = quantised(w)

            def product():
                return torch._scaled_mm(x8, w8.t(), scale_a=x_scale, scale_b=w_scale, out_dtype=dtype)

            exact = x.float() @ w.float().t()
            error = ((product().float() - exact).norm() / exact.norm()).item()
        except (RuntimeError, NotImplementedError) as e:
            return f"no products in 8 bits here: {str(e).splitlines()[0]}"
        plain, quantising = clock.seconds(lambda: x @ w.t()), clock.seconds(lambda: quantised(x))
        rows.append({"inputs": inputs, "outputs": outputs, "bits16": plain, "bits8": clock.seconds(product), "quantising": quantising, "error": error})
    return rows


def quantised(x):
    """A tensor in E4M3, and the scale that gives it back."""
    scale = x.abs().amax().float() / 448
    return (x / scale).to(torch.float8_e4m3fn), scale


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--families", nargs="+", default=list(FAMILIES), choices=FAMILIES)
    parser.add_argument("--side", type=int, default=1024, help="pixels")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--runs", type=int, default=8)
    parser.add_argument("--tiny", action="store_true", help="networks of a few layers, a small image, one run")
    parser.add_argument("--json", help="file for all figures")
    options = parser.parse_args()
    if options.tiny:
        options.side, options.runs = 64, 1
    dtype = torch.float32 if options.device == "cpu" else torch.bfloat16
    clock = Clock(options.device, options.runs)
    found = {"torch": torch.__version__, "device": torch.cuda.get_device_name() if options.device != "cpu" else "cpu"}
    with torch.inference_mode():
        found["peak"] = peak(options.device, dtype, clock, options.tiny)
        print(f"{found['device']}, torch {found['torch']}: {found['peak'] / 1e12:.2f} TFLOP/s measured peak of a product in {dtype}\n")
        print(f"{'family':11} batch  s/step  images/s  share of peak  s/step optimised  gain")
        found["steps"] = []
        for name in options.families:
            family = FAMILIES[name](options.device, dtype, options.tiny)
            side = options.side // 16
            for batch in options.batches:
                step = family.step(side, side, batch)
                with torch.jit.optimized_execution(False):
                    plain = clock.seconds(step)
                with torch.jit.optimized_execution(True):
                    optimised = clock.seconds(step)
                share = batch * flops(family, side * side) / plain / found["peak"]
                found["steps"].append({"family": name, "batch": batch, "plain": plain, "optimised": optimised, "share": share})
                print(f"{name:11} {batch:5}  {plain:6.3f}  {batch / plain / family.steps:8.3f}  {share:13.1%}  {optimised:16.3f}  {plain / optimised:4.2f}")
            del family, step
            if options.device.startswith("cuda"):
                torch.cuda.empty_cache()
        found["eight_bits"] = eight_bits(options.device, dtype, clock, options.tiny)
    print()
    if isinstance(found["eight_bits"], str):
        print(found["eight_bits"])
    else:
        print("inputs  outputs  16 bits ms  8 bits ms  gain  with quantising of the input  relative error")
        for row in found["eight_bits"]:
            both = row["bits8"] + row["quantising"]
            print(
                f"{row['inputs']:6}  {row['outputs']:7}  {row['bits16'] * 1e3:10.3f}  {row['bits8'] * 1e3:9.3f}  {row['bits16'] / row['bits8']:4.2f}"
                f"  {row['bits16'] / both:28.2f}  {row['error']:14.4f}"
            )
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(found, file, indent=2)


if __name__ == "__main__":
    main()
