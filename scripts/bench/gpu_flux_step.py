"""Seconds per denoising step of a FLUX.1 transformer on a GPU, and the share of the GPU's peak performance, by batch and size.

Runs the project's own network text with random bf16 weights of FLUX.1-dev's shape, so it needs no checkpoint.

Usage: python gpu_flux_step.py [--peak 989] [--sizes 512 1024] [--batches 1 2 4]     (needs torch with CUDA)
       python gpu_flux_step.py --device cpu --tiny                                  (checks that the script runs)
"""

import argparse
import statistics
import time

import torch

import torchscript

TEXT_TOKENS = 512
ROPE_WIDTHS = [16, 56, 56]


def weights(width, double, single, device, dtype):
    """Random weights under the names of diffusers' FluxTransformer2DModel."""
    head = sum(ROPE_WIDTHS)
    shapes = {}

    def linear(name, inputs, outputs):
        shapes[name + ".weight"], shapes[name + ".bias"] = (outputs, inputs), (outputs,)

    linear("x_embedder", 64, width)
    linear("context_embedder", 4096, width)
    for name, inputs in (("timestep_embedder", 256), ("guidance_embedder", 256), ("text_embedder", 768)):
        linear(f"time_text_embed.{name}.linear_1", inputs, width)
        linear(f"time_text_embed.{name}.linear_2", width, width)
    linear("norm_out.linear", width, 2 * width)
    linear("proj_out", width, 64)
    for i in range(double):
        block = f"transformer_blocks.{i}."
        linear(block + "norm1.linear", width, 6 * width)
        linear(block + "norm1_context.linear", width, 6 * width)
        for name in ("to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out"):
            linear(block + "attn." + name, width, width)
        for name in ("norm_q", "norm_k", "norm_added_q", "norm_added_k"):
            shapes[block + f"attn.{name}.weight"] = (head,)
        for name in ("ff", "ff_context"):
            linear(block + name + ".net.0.proj", width, 4 * width)
            linear(block + name + ".net.2", 4 * width, width)
    for i in range(single):
        block = f"single_transformer_blocks.{i}."
        linear(block + "norm.linear", width, 3 * width)
        linear(block + "proj_mlp", width, 4 * width)
        linear(block + "proj_out", 5 * width, width)
        for name in ("to_q", "to_k", "to_v"):
            linear(block + "attn." + name, width, width)
        for name in ("norm_q", "norm_k"):
            shapes[block + f"attn.{name}.weight"] = (head,)
    generator = torch.Generator(device).manual_seed(0)
    return {
        name: torch.randn(shape, generator=generator, device=device, dtype=dtype) * (0.02 if len(shape) == 2 else 0.1)
        for name, shape in shapes.items()
    }


def flops(width, double, single, image, text):
    """Floating-point operations of linear layers and attention; a multiply-add counts as two."""
    tokens = image + text
    linear = double * 2 * tokens * 12 * width**2 + single * 2 * tokens * 12 * width**2
    attention = (double + single) * 4 * tokens**2 * width
    return linear + attention


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--peak", type=float, default=989, help="dense bf16 TFLOP/s of the GPU (H100 and H200: 989)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[512, 1024])
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--runs", type=int, default=8)
    parser.add_argument("--tiny", action="store_true", help="one block of each kind, one small image")
    options = parser.parse_args()
    heads, double, single = (2, 1, 1) if options.tiny else (24, 19, 38)
    if options.tiny:
        options.sizes, options.batches, options.runs = [64], [1, 2], 2
    width = heads * sum(ROPE_WIDTHS)
    dtype = torch.float32 if options.device == "cpu" else torch.bfloat16

    network = torchscript.load("flux", "FluxTransformer2DModel")
    stack = torchscript.load("weights", "Weights")
    w = weights(width, double, single, options.device, dtype)
    blocks = stack.stack(w, "transformer_blocks", double)
    single_blocks = stack.stack(w, "single_transformer_blocks", single)
    wait = torch.cuda.synchronize if options.device.startswith("cuda") else lambda: None
    print("size  batch  s/step  images/s at 28 steps  TFLOP/s  share of peak")
    with torch.inference_mode():
        for size in options.sizes:
            side = size // 16
            rope = network.rope(TEXT_TOKENS, side, side, ROPE_WIDTHS, options.device)
            for batch in options.batches:
                latents = torch.randn(batch, side * side, 64, device=options.device, dtype=dtype)
                context = torch.randn(batch, TEXT_TOKENS, 4096, device=options.device, dtype=dtype)
                pooled = torch.randn(batch, 768, device=options.device, dtype=dtype)
                guidance = torch.full((batch,), 3.5, device=options.device)
                seconds = []
                for _ in range(options.runs + 3):
                    wait()
                    start = time.perf_counter()
                    network.forward(w, blocks, single_blocks, latents, context, pooled, 500.0, guidance, rope, heads)
                    wait()
                    seconds.append(time.perf_counter() - start)
                step = statistics.median(seconds[3:])
                rate = batch * flops(width, double, single, side * side, TEXT_TOKENS) / step / 1e12
                print(f"{size:4}  {batch:5}  {step:6.3f}  {batch / step / 28:20.2f}  {rate:7.1f}  {rate / options.peak:13.1%}")


if __name__ == "__main__":
    main()
