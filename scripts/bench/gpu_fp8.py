"""What products in 8 bits (E4M3) would gain for FLUX.1-dev on a GPU, and what they cost in accuracy.

1. The whole step: the network text with products in 8 bits in all linear layers of the blocks, with one scale for each row of the
   input and of the weight, on weights that are quantised once; the relative difference between its output and the output in 16 bits,
   and memory.
2. Each kind of layer: milliseconds of the product in 16 and in 8 bits, of quantising the input with libtorch's operators, and of that
   by one kernel that torch.compile makes; relative error.
3. A step estimated from both, if one kernel quantised an input, once for all layers that read it.

Usage: python gpu_fp8.py [--side 1024]          (needs torch with CUDA, on a GPU with products in 8 bits)
       python gpu_fp8.py --device cpu --tiny    (checks that the script runs)
"""

import re

import torch

import gpu_tools
import random_networks
import torchscript
from gpu_tools import Device, attempt, error, reason
from random_weights import Numbers, chosen

MOST = 448.0  # the largest number of E4M3
PLAIN = '    y = torch.linear(x, weight, w.get(name + ".bias"))\n'
EIGHT = f"""    if name + ".scale" in w:
      y = nn.linear8(x, weight, w[name + ".scale"], w.get(name + ".bias"))
    else:
  {PLAIN}"""
LINEAR8 = f"""
def linear8(x: Tensor, weight: Tensor, scale: Tensor, bias: Optional[Tensor]) -> Tensor:
  rows = x.flatten(0, -2)
  own = torch.clamp_min(torch.amax(torch.abs(rows), [-1], True), 1e-6) / {MOST}
  y = torch._scaled_mm((rows / own).to(24), weight.t(), own.to(6), scale, bias, None, 15, True)
  return y.unflatten(0, [x.size(0), x.size(1)])
"""
QUANTISED = re.compile(r"transformer_blocks\.\d+\.(attn|ff|ff_context|proj_mlp|proj_out)\b.*\.weight")


def quantise(x):
    """Rows in E4M3, and the scale of each."""
    scale = x.abs().amax(-1, keepdim=True).clamp_min(1e-6) / MOST
    return (x / scale).to(torch.float8_e4m3fn), scale.float()


def edit(name, source):
    if name != "nn":
        return source
    assert source.count(PLAIN) == 1
    return source.replace(PLAIN, EIGHT) + LINEAR8


def layers(device, rows):
    """The second table; seconds that each kind of layer gains, by its name."""
    image, text, width = (256, 32, 256) if device.tiny else (4096, 512, 3072)
    kinds = [  # name, how many, rows, inputs, outputs, how many layers of the same input
        ("qkv image", 19, image, width, 3 * width, 1),
        ("out image", 19, image, width, width, 1),
        ("up image", 19, image, width, 4 * width, 1),
        ("down image", 19, image, 4 * width, width, 1),
        ("qkv text", 19, text, width, 3 * width, 1),
        ("out text", 19, text, width, width, 1),
        ("up text", 19, text, width, 4 * width, 1),
        ("down text", 19, text, 4 * width, width, 1),
        ("qkv single", 38, image + text, width, 3 * width, 2),
        ("up single", 38, image + text, width, 4 * width, 2),
        ("out single", 38, image + text, 5 * width, width, 1),
    ]
    print(f"{'layer':11} {'rows':>5} {'in':>6} {'out':>6}  16 bits   8 bits  quantising  one kernel  error", flush=True)
    compiled = torch.compile(quantise) if device.cuda else quantise
    for name, count, tokens, inputs, outputs, shared in kinds:
        x = torch.randn(tokens, inputs, device=device.name, dtype=torch.bfloat16)
        w = torch.randn(outputs, inputs, device=device.name, dtype=torch.bfloat16) * inputs**-0.5
        x8, own = quantise(x)
        w8, scale = quantise(w)
        scale = scale.t().contiguous()

        def product():
            return torch._scaled_mm(x8, w8.t(), scale_a=own, scale_b=scale, out_dtype=torch.bfloat16, use_fast_accum=True)

        exact = x.float() @ w.float().t()
        away = error(product(), exact)
        plain, eight = device.seconds(lambda: x @ w.t())[0], device.seconds(product)[0]
        slow = device.seconds(lambda: quantise(x))[0]
        try:
            fast = device.seconds(lambda: compiled(x))[0]
        except Exception as e:
            print(f"torch.compile: {reason(e)}")
            compiled, fast = quantise, slow
        rows[name] = count * (plain - eight - fast / shared)
        figures = f"{plain * 1e3:8.3f} {eight * 1e3:8.3f} {slow * 1e3:11.3f} {fast * 1e3:11.3f} {away:6.3f}"
        print(f"{name:11} {tokens:5} {inputs:6} {outputs:6} {figures}", flush=True)


def step(device, side, found):
    """The first table."""
    numbers = Numbers(device.name, torch.bfloat16)
    heads, double, single, text = chosen(device.size, (24, 19, 38, 512), None, (2, 1, 2, 16))
    family, rows = random_networks.flux(numbers, device.size, fused=True), side // 16
    x = family.inputs(rows, rows, 1)
    run = family.prepare(x, rows, rows, [text])
    plain, out, held = device.seconds(run)[0], run(), memory(family.weights)
    w = dict(family.weights)
    for name in [name for name in w if QUANTISED.search(name) and w[name].dim() == 2]:
        w[name], scale = quantise(w[name])
        w[name.removesuffix("weight") + "scale"] = scale.t().contiguous()
    with torchscript.edited(edit):
        network = torchscript.load("flux", "FluxTransformer2DModel")
    run = random_networks.flux_prepare(network, w, heads, double, single, numbers)(x, rows, rows, [text])
    eight = device.seconds(run)[0]
    difference = error(run(), out)
    print(f"16 bits {plain:.4f} s, {held:.1f} GiB of weights; 8 bits {eight:.4f} s, {memory(w):.1f} GiB; relative difference {difference:.4f}")
    if not difference <= 0.2:  # or NaN
        raise ArithmeticError("the output in 8 bits has little to do with that in 16: the relative difference is over 0.2")
    found["plain"] = plain


def memory(w):
    return sum(x.numel() * x.element_size() for x in w.values()) / gpu_tools.GIB


def main():
    options = gpu_tools.options(__doc__, side=(1024, "pixels"), seconds=(60.0, "when the script ends"))
    device = Device(options)
    gpu_tools.end_after(options.seconds)
    rows, found = {}, {}
    with torch.jit.optimized_execution(False):
        attempt("1. a step with fused projections", lambda: step(device, 128 if device.tiny else options.side, found))
        attempt("2. layers, ms", lambda: layers(device, rows))
    if rows and "plain" in found:
        gain = sum(rows.values())
        print(f"\n3. estimated: {found['plain'] - gain:.4f} s instead of {found['plain']:.4f} s, {found['plain'] / (found['plain'] - gain):.2f} times as fast")


if __name__ == "__main__":
    gpu_tools.run(main)
