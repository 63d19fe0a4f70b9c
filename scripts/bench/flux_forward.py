"""One forward pass of a 70M-parameter FLUX transformer, alternating between Lightmill's engine and eager PyTorch.

Usage: python flux_forward.py [--runs 15] [--threads 2]     (needs torch and safetensors; run scripts/lightmill once first)
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

import torch
from safetensors.torch import save_file

from eager_flux import Flux, rope

WIDTH, HEADS, DOUBLE, SINGLE, SIDE, TEXT = 512, 8, 4, 8, 32, 128
HOME = pathlib.Path(__file__).resolve().parents[2]


def java(directory, threads):
    jars = ":".join(str(HOME / "target" / part) for part in ("lightmill.jar", "lib/*", "spark/*"))
    command = ["java", f"-Dai.djl.pytorch.num_threads={threads}", "-Dai.djl.offline=true", "-cp", jars]
    command += [str(HOME / "scripts/bench/FluxForward.java"), str(directory), DOUBLE, SINGLE, HEADS, SIDE]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "PASSIVE"}
    return subprocess.Popen(
        [str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, env=environment,
    )


def ask(process, line):
    process.stdin.write(line + "\n")
    process.stdin.flush()
    return float(process.stdout.readline())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    model = Flux(WIDTH, HEADS, DOUBLE, SINGLE, channels=64, context=512, pooled=256).eval()
    inputs = {
        "latents": torch.randn(1, SIDE * SIDE, 64),
        "context": torch.randn(1, TEXT, 512),
        "pooled": torch.randn(1, 256),
    }
    positions = torch.zeros(TEXT + SIDE * SIDE, 3)
    positions[TEXT:, 1] = torch.arange(SIDE).repeat_interleave(SIDE)
    positions[TEXT:, 2] = torch.arange(SIDE).repeat(SIDE)
    cos, sin = rope(positions, (16, 24, 24))
    arguments = (inputs["latents"], inputs["context"], inputs["pooled"], torch.full((1,), 500.0), cos, sin)

    with tempfile.TemporaryDirectory() as directory, torch.inference_mode():
        path = pathlib.Path(directory)
        (path / "transformer").mkdir()
        save_file(model.state_dict(), path / "transformer" / "diffusion_pytorch_model.safetensors")
        save_file(inputs, path / "inputs.safetensors")
        engine = java(path, options.threads)
        ours, theirs = [], []
        for i in range(options.runs + 2):
            seconds = ask(engine, "run")
            start = time.perf_counter()
            out = model(*arguments)
            eager = time.perf_counter() - start
            if i >= 2:
                ours.append(seconds)
                theirs.append(eager)
        checks = ask(engine, "check"), out.abs().double().sum().item()
        engine.stdin.close()

    ratios = [a / b for a, b in zip(ours, theirs)]
    parameters = sum(p.numel() for p in model.parameters())
    print(f"{parameters / 1e6:.1f} M parameters, {SIDE * SIDE} + {TEXT} tokens, {options.threads} threads, {options.runs} pairs")
    print(f"sum of magnitudes: Lightmill {checks[0]:.4f}, eager {checks[1]:.4f}")
    for name, values in (("Lightmill ms", ours), ("eager ms", theirs)):
        print(f"{name:14} min {min(values) * 1e3:7.1f}  median {statistics.median(values) * 1e3:7.1f}  max {max(values) * 1e3:7.1f}")
    print(f"{'ratio':14} min {min(ratios):7.3f}  median {statistics.median(ratios):7.3f}  max {max(ratios):7.3f}")


if __name__ == "__main__":
    main()
