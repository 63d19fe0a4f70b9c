"""How much faster a step of FLUX.1-dev is on a GPU if torch.compile fuses the operators of its blocks: a bound for other fusers.

The network text runs as Python, with its double and single blocks compiled one by one; the rotation is in real numbers, since
compilers leave complex ones alone, and RMS norms are torch.rms_norm. The last block, which computes image tokens only, is not compiled.

Usage: python gpu_compiled.py [--side 1024]          (needs torch with CUDA, and a C compiler)
       python gpu_compiled.py --device cpu --tiny    (checks that the script runs)
"""

import re
import sys
import types
import typing

import torch

import gpu_tools
import random_networks
import torchscript
from gpu_tools import Device, attempt, error
from random_weights import Numbers, chosen

TYPES = {"0": "uint8", "3": "int32", "4": "int64", "5": "float16", "6": "float32", "7": "float64", "11": "bool", "15": "bfloat16"}
# Differences by rounding alone. With three blocks on a CPU, they are 3e-7 and 5e-3, and 6e-2 in 32 bits without the RMS norm.
MOST = {torch.float32: 1e-4, torch.bfloat16: 5e-2}
NAMES = {"Module": object, "annotate": lambda kind, value: value, "torch": torch, "Tensor": torch.Tensor, "Device": torch.device}


def as_python(source):
    """The source of a network text with Python's names for operators and types."""
    source = re.sub(r"\btorch\.(\w+)(?=\()", lambda call: call[0] if hasattr(torch, call[1]) else "torch.ops.aten." + call[1], source)
    return re.sub(r"(\.to\(|dtype=)(\d+)\b", lambda number: f"{number[1]}torch.{TYPES[number[2]]}", source)


def modules(text):
    """The module of a text and those that it imports, by name."""
    sources = {}
    torchscript.collect(text, sources)
    found = {name: types.ModuleType("text_" + name) for name in sources}
    sys.modules.update({module.__name__: module for module in found.values()})  # where torch.compile looks for them
    for name, module in found.items():
        vars(module).update(NAMES | {kind: getattr(typing, kind) for kind in ("Dict", "List", "Optional", "Tuple")} | found)
        vars(module).update(number=float, Generator=torch.Generator)
        exec(compile(as_python(torchscript.IMPORT.sub("\n", sources[name])), name, "exec"), vars(module))
    return found


def rotate(x, rope):
    """nn.rotate in real numbers, by a table [tokens, width / 2, 2]."""
    cos, sin = rope.reshape(-1, x.size(1), 1, 1, rope.size(-2), 2).unbind(-1)
    a, b = x.float().unflatten(-1, (-1, 2)).unbind(-1)
    return torch.stack([a * cos - b * sin, a * sin + b * cos], -1).flatten(-2).to(x.dtype)


def step(device, side):
    numbers = Numbers(device.name, device.dtype)
    family, rows = random_networks.flux(numbers, device.size, fused=True), side // 16
    heads, double, single, text = chosen(device.size, (24, 19, 38, 512), None, (2, 1, 2, 16))
    x = family.inputs(rows, rows, 1)
    run = family.prepare(x, rows, rows, [text])
    with torch.jit.optimized_execution(False):
        plain, out = device.seconds(run)[0], run()
    print(f"TorchScript {plain:.4f} s", flush=True)
    found = modules("flux")
    flux, found["nn"].rotate = found["flux"], rotate
    found["nn"].unit_rms = lambda x, eps: torch.rms_norm(x, [x.size(-1)], None, eps)
    found["nn"].unit_rms_ = lambda x, eps: x.copy_(found["nn"].unit_rms(x, eps))
    script = torchscript.load("flux", "FluxTransformer2DModel")
    network = types.SimpleNamespace(forward=flux.FluxTransformer2DModel().forward)
    network.rope = lambda *positions: torch.view_as_real(script.rope(*positions))
    network.text_tokens, network.conditions = script.text_tokens, script.conditions
    run = random_networks.flux_prepare(network, family.weights, heads, double, single, numbers)(x, rows, rows, [text])
    compare("Python", device, run, out)
    flux.double_block = torch.compile(flux.double_block)
    whole, compiled = flux.single_block, torch.compile(flux.single_block)
    flux.single_block = lambda *given: whole(*given) if given[-1] else compiled(*given)
    print(f"compiled in {device.once(run)[0] + device.once(run)[0]:.1f} s", flush=True)
    compare("compiled", device, run, out)


def compare(title, device, run, out):
    seconds = device.seconds(run)[0]
    difference = error(run(), out)
    print(f"{title} {seconds:.4f} s, relative difference {difference:.1e}", flush=True)
    if not difference <= MOST[out.dtype]:  # or NaN
        raise ArithmeticError(f"{title} computes something else: the relative difference is over {MOST[out.dtype]}")


def main():
    options = gpu_tools.options(__doc__, side=(1024, "pixels"), seconds=(60.0, "when the script ends"))
    device = Device(options)
    gpu_tools.end_after(options.seconds)
    attempt("a step with fused projections", lambda: step(device, 128 if device.tiny else options.side))


if __name__ == "__main__":
    gpu_tools.run(main)
