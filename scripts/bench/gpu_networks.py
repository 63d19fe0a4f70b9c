"""Seconds per denoising step of every family's transformer on a GPU, and what limits them.

Runs the project's own network texts with random bf16 weights of the released models' sizes, so it needs no checkpoint. Tables:
1. Each family and batch: seconds per step, until the device has all its work ("host"), images per second over the family's usual
   number of steps without guidance, the share of the matrix products that the device reaches at its best, memory beyond the
   weights and in all. Then, for a batch of 1, variants: "fused" has the projections to queries, keys and values as one layer, as
   Lightmill has them on CPUs; "+cudnn" has also attention by cuDNN; "+rms_norm" has torch.rms_norm of this libtorch instead of
   nn.unit_rms, and "+composite" its passes in libtorch 2.7.1.
2. For a batch of 1, milliseconds by groups of kernels, the kernels of attention, and the longest others.
3. Attention alone, in the networks' memory layout: the implementation that libtorch chooses, and milliseconds of each one.
With --optimised only: a step under TorchScript's optimising executor, which Lightmill turns off, and what its first calls take.

Usage: python gpu_networks.py [--families flux sd3 …] [--side 1024] [--batches 1 2]     (needs torch with CUDA)
       python gpu_networks.py --device cpu --tiny                                       (checks that the script runs)
"""

import time
import warnings

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

import gpu_tools
import random_networks
import torchscript
from gpu_tools import GROUPS, Device, attempt, failed
from random_weights import Numbers

HEADS = {"flux": (24, 128), "flux2": (24, 128), "sd3": (38, 64), "qwen_image": (24, 128), "z_image": (30, 128)}
UNIT_RMS = "return torch.mul(x, nn.reciprocal_rms(x, eps), out=torch.empty_like(x))"
UNIT_RMS_IN_PLACE = "return x.mul_(nn.reciprocal_rms(x, eps))"
NORMS = {
    "+rms_norm": "torch.rms_norm(x, [x.size(-1)], None, eps)",
    "+composite": "torch.mul(x.to(6), torch.rsqrt(torch.add(torch.mean(torch.pow(x.to(6), 2), [-1], True), eps))).to(x.dtype)",
}
BACKENDS = {
    "math": SDPBackend.MATH,
    "flash": SDPBackend.FLASH_ATTENTION,
    "efficient": SDPBackend.EFFICIENT_ATTENTION,
    "cudnn": SDPBackend.CUDNN_ATTENTION,
}


def flops(family, image_tokens):
    """Floating-point operations of a step of one image: linear layers of all tokens, and attention."""
    tokens = image_tokens + family.text_tokens
    return 2 * tokens * family.linear + 4 * family.attentions * tokens**2 * family.width


def build(device, name, fused=False):
    return random_networks.FAMILIES[name](Numbers(device.name, device.dtype), device.size, fused)


def measure(device, name, options, peak, profiles):
    """Rows of the first table; keeps the profile of a batch of 1."""
    family, side = build(device, name), options.side // 16
    for batch in options.batches:
        if batch > 1 and time.perf_counter() - device.start > options.seconds:
            print(f"{name:11} {batch:5}  skipped: {options.seconds} s are over")
            continue
        try:
            step = family.step(side, side, batch)
            more, most = device.memory(step)
            taken, host = device.seconds(step)
            share = batch * flops(family, side * side) / taken / peak
            rate = batch / taken / family.steps
            print(f"{name:11} {batch:5} {taken:8.4f} {host:7.4f} {rate:9.3f} {share:7.1%} {more:7.1f} {most:7.1f}", flush=True)
            if batch == 1:
                profiles[name] = device.profile(step)
        except torch.cuda.OutOfMemoryError:
            print(f"{name:11} {batch:5}  out of memory", flush=True)
        except RuntimeError as e:
            failed(f"{name:11} {batch:5}", e)
        step = None
        device.empty()
    family = None
    device.empty()
    variants(device, name, side)


def with_norm(source, norm):
    """A text whose RMS norms are computed by another expression."""
    return source.replace(UNIT_RMS, f"return {norm}").replace(UNIT_RMS_IN_PLACE, f"return x.copy_({norm})")


def variants(device, name, side):
    """The last row of a family in the first table."""
    step = build(device, name, fused=True).step(side, side, 1)
    print(f"{name:11} fused {device.seconds(step)[0]:8.4f}", end="", flush=True)
    with sdpa_kernel([SDPBackend.CUDNN_ATTENTION, SDPBackend.FLASH_ATTENTION, SDPBackend.MATH], set_priority=True):
        print(f"  +cudnn {device.seconds(step)[0]:.4f}", end="", flush=True)
    for title, norm in NORMS.items():
        step = None
        device.empty()
        with torchscript.edited(lambda text, source: with_norm(source, norm)):
            step = build(device, name, fused=True).step(side, side, 1)
        print(f"  {title} {device.seconds(step)[0]:.4f}", end="", flush=True)
    print(flush=True)


def speeds(device, options, profiles):
    peak = device.peak()
    print(f"{peak / 1e12:.1f} TFLOP/s: measured peak of a product\n")
    print(f"{'family':11} batch   s/step    host  images/s   share    +GiB     GiB", flush=True)
    for name in options.families:
        try:
            measure(device, name, options, peak, profiles)
        except Exception as e:
            failed(f"{name:11}", e)
        device.empty()


def print_profiles(profiles):
    print(f"{'family':11}" + "".join(f"{group:>20}" for group in GROUPS))
    for name, (groups, _) in profiles.items():
        total = sum(groups.values()) or 1
        print(f"{name:11}" + "".join(f"{time_ms:11.2f} ms {time_ms / total:5.1%}" for time_ms in groups.values()))
    for name, (_, kernels) in profiles.items():
        longest = sorted(kernels.items(), key=lambda kernel: -kernel[1][1])
        for kernel, (group, time_ms) in [k for k in longest if k[1][0] == "attention"][:2] + [k for k in longest if k[1][0] != "attention"][:8]:
            print(f"| {name:11} {time_ms:8.2f} ms  {group:12}  {kernel[:150]}")


def attentions(device, options):
    """Attention of each family, without and with the mask that prompts of several lengths cause."""
    tokens = options.side**2 // 256
    cases = [(name, 1, *HEADS[name], tokens + 512, None) for name in options.families]
    cases += [(name + " masked", 2, *HEADS[name], tokens + 256, "keys") for name in ("qwen_image", "z_image") if name in options.families]
    cases += [("autoencoder", 1, 1, 512, options.side**2 // 64, None), ("t5", 1, 64, 64, min(512, tokens), "bias")]
    print(f"{'':18} {'batch':>5} {'heads':>5} {'width':>5} {'tokens':>6} {'chosen':>10} {'default':>9}" + "".join(f"{backend:>10}" for backend in BACKENDS))
    for name, batch, heads, width, tokens, kind in cases:
        try:
            print(attention(device, name, batch, heads, width, tokens, kind), flush=True)
        except Exception as e:
            failed(f"{name:18}", e)
        device.empty()


def attention(device, name, batch, heads, width, tokens, kind):
    qkv = torch.randn(batch, tokens, 3, heads, width, device=device.name, dtype=device.dtype)
    q, k, v = (qkv[:, :, i].transpose(1, 2) for i in range(3))
    mask = None
    if kind == "keys":
        mask = torch.arange(tokens, device=device.name) < torch.tensor([tokens, tokens - 100], device=device.name).view(-1, 1, 1, 1)
    if kind == "bias":
        mask = torch.randn(1, heads, tokens, tokens, device=device.name, dtype=device.dtype)

    def work():
        return torch.nn.functional.scaled_dot_product_attention(q, k, v, mask)

    choice = torch._fused_sdp_choice(q, k, v, mask)
    chosen = next((name for name, backend in BACKENDS.items() if int(backend) == choice), str(choice))
    line = f"{name:18} {batch:5} {heads:5} {width:5} {tokens:6} {chosen:>10} {device.seconds(work)[0] * 1e3:9.3f}"
    for backend in BACKENDS.values():
        try:
            with warnings.catch_warnings(action="ignore"), sdpa_kernel([backend]):
                line += f" {device.seconds(work)[0] * 1e3:9.3f}"
        except RuntimeError:  # it does not compute this
            line += f" {'–':>9}"
    return line


def optimised(device, options):
    print(f"{'family':11}   s/step  optimised  first calls", flush=True)
    for name in options.families:
        try:
            step = build(device, name).step(options.side // 16, options.side // 16, 1)
            with torch.jit.optimized_execution(False):
                plain = device.seconds(step)[0]
            with torch.jit.optimized_execution(True):
                first = [device.once(step)[0] for _ in range(3)]
                faster = device.seconds(step)[0]
            print(f"{name:11} {plain:8.4f} {faster:10.4f}  " + ", ".join(f"{seconds:.2f}" for seconds in first), flush=True)
        except Exception as e:
            failed(f"{name:11}", e)
        step = None
        device.empty()


def main():
    options = gpu_tools.options(
        __doc__,
        families=(list(random_networks.FAMILIES), "some of " + ", ".join(random_networks.FAMILIES)),
        side=(1024, "pixels"),
        batches=([1, 2, 4, 8], "images at once"),
        optimised=(False, "the optimising executor only"),
        seconds=(70.0, "after which no further batch begins; with --optimised, when the script ends"),
    )
    if options.tiny:
        options.side, options.batches = 128, options.batches[:2]
    device = Device(options)
    if options.optimised:
        gpu_tools.end_after(options.seconds)
        attempt("TorchScript's optimising executor, a batch of 1", lambda: optimised(device, options))
        return
    profiles = {}
    with torch.jit.optimized_execution(False):
        text = (torchscript.TEXTS / "nn.py").read_text(encoding="utf-8")
        assert UNIT_RMS in text and UNIT_RMS_IN_PLACE in text
        attempt("1. steps", lambda: speeds(device, options, profiles))
        attempt("2. where a step's time goes", lambda: print_profiles(profiles))
        attempt("3. attention alone, ms", lambda: attentions(device, options))


if __name__ == "__main__":
    gpu_tools.run(main)
