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
import json
import statistics
import time

import torch

import random_networks


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
    parser.add_argument("--families", nargs="+", default=list(random_networks.FAMILIES), choices=random_networks.FAMILIES)
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
            family = random_networks.FAMILIES[name](options.device, dtype, options.tiny)
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
