"""Whether the network texts compute on a GPU what they compute on a CPU in 64 bits.

Each network has some layers with random weights, which are rounded to bfloat16 for all types, so that only arithmetic differs. The
table has relative errors, ‖output − reference‖ / ‖reference‖:
  float32, bfloat16, float16: against the CPU in 64 bits; TF32 is off
  largest: the largest difference in bfloat16, relative to the largest number of the reference
  alone: a batch of prompts of several lengths against each of them alone, in 32 bits and in bfloat16
More lines have the errors of autoencoders in 32 bits with libtorch's own setting, which is TF32 in convolutions. The second table compares
reference checkpoints with diffusers' recordings, and the last one compares outputs under TorchScript's optimising executor, which
Lightmill turns off, with those without it.

Bounds: a sum of n products in 32 bits has a relative error of about √n · 2⁻²⁴, 1e-5 after a network, and TF32 one of 2⁻¹¹ at each
product; so 1e-4 lets through rounding alone. bfloat16 rounds each number to 2⁻⁹ and float16 to 2⁻¹²; over the layers here that
adds up to about 1e-2 and 1.5e-3. The bounds are three times those numbers.

Usage: python gpu_check.py                        (needs torch with CUDA)
       python gpu_check.py --device cpu --tiny    (checks the script)
"""

import argparse
import sys
import time

import torch

import random_components
import random_networks
import recordings
from gpu_tools import error
from random_weights import Numbers

BOUNDS = {torch.float32: 1e-4, torch.bfloat16: 3e-2, torch.float16: 5e-3}
MASKED = ("qwen_image", "z_image")  # their prompts have lengths


def family(name):
    """Builds a transformer: (numbers, size) -> a function of the row to compute, or None for the whole batch."""

    def build(numbers, size):
        network = random_networks.FAMILIES[name](numbers, size)
        text, rows, columns = network.text_tokens, 16, 12
        lengths = [text, text // 2, text // 5] if name in MASKED else [text] * 3
        x = network.inputs(rows, columns, 3)

        def run(row):
            some = x if row is None else {key: value[row : row + 1] for key, value in x.items()}
            return network.prepare(some, rows, columns, lengths if row is None else lengths[row : row + 1])()

        return run

    return build


def component(name, batch):
    """The same for a text encoder or an autoencoder."""

    def build(numbers, size):
        network = (random_components.AUTOENCODERS | random_components.TEXT_ENCODERS)[name](numbers, size)
        x = network.inputs(batch)
        return lambda row: network.run(x if row is None else x[row : row + 1])

    return build


SUBJECTS = {name: (family(name), 3) for name in random_networks.FAMILIES}
SUBJECTS |= {name: (component(name, 2), 2) for name in random_components.AUTOENCODERS}
SUBJECTS |= {"t5": (component("t5", 3), 3), "clip": (component("clip", 3), 3)}
SUBJECTS |= {name: (component(name, 1), 1) for name in ("qwen3", "qwen2.5")}


class Table:
    """Prints errors, and collects those above their bounds."""

    def __init__(self):
        self.failures = []
        self.runs = {}  # a function that computes an output, and the output, by network and type

    def value(self, subject, column, compute, bound=None):
        """The text of a cell: a number, or a dash for what failed."""
        try:
            value = compute()
        except Exception as e:  # the others are still of use
            self.failures.append(f"{subject}, {column}: {str(e).strip().splitlines()[-1]}")
            return "failed"
        if bound is not None and not value <= bound:
            self.failures.append(f"{subject}, {column}: {value:.2g} is above {bound:.0e}")
        return f"{value:.1e}"


def optimised(table, seconds):
    """Outputs under the optimising executor, after it has profiled and compiled."""
    end, names = time.perf_counter() + seconds, dict.fromkeys(name for name, _ in table.runs)
    print("\nwith the optimising executor, in float32 and in bfloat16; seconds", flush=True)
    for name in names:
        if time.perf_counter() > end:
            print(f"{name:11}  not tried: {seconds:.0f} s are over")
            continue
        print(f"{name:11}", end="", flush=True)
        start = time.perf_counter()
        for dtype in (torch.float32, torch.bfloat16):
            run, out = table.runs.get((name, dtype), (None, None))

            def compiled():
                with torch.jit.optimized_execution(True):
                    return error([run(None) for _ in range(3)][-1], out)

            print(f"{table.value(name, 'optimised', compiled, BOUNDS[dtype]):>10}", end="", flush=True)
        print(f"{time.perf_counter() - start:6.1f}", flush=True)


def check(name, build, batch, options, table):
    size, tape = "tiny" if options.tiny else "small", []
    with torch.jit.optimized_execution(False):
        reference = build(Numbers("cpu", torch.float64, tape), size)(None)
    cells = {}
    for dtype, bound in BOUNDS.items():
        short = str(dtype).removeprefix("torch.")
        try:
            with torch.jit.optimized_execution(False):
                run = build(Numbers(options.device, dtype, tape), size)
                out = run(None)
        except Exception as e:
            table.failures.append(f"{name}, {short}: {str(e).strip().splitlines()[-1]}")
            continue
        cells[short] = table.value(name, short, lambda: error(out, reference), bound)
        if dtype == torch.float16:
            continue
        if dtype == torch.bfloat16:
            largest = lambda: ((out.double().cpu() - reference).abs().max() / reference.abs().max()).item()
            cells["largest"] = table.value(name, "largest", largest)
        if batch > 1:
            with torch.jit.optimized_execution(False):
                alone = lambda: error(torch.cat([run(row) for row in range(batch)]), out)
                cells["alone " + short] = table.value(name, "alone " + short, alone, bound)
        table.runs[name, dtype] = run, out
    columns = ("float32", "bfloat16", "float16", "largest", "alone float32", "alone bfloat16")
    print(f"{name:11}" + "".join(f"{cells.get(column, '–'):>10}" for column in columns), flush=True)


def rounded(name, options):
    """The error of a network in 32 bits under the settings of the moment."""
    size, tape = "tiny" if options.tiny else "small", []
    reference, out = (SUBJECTS[name][0](Numbers(*numbers, tape), size)(None) for numbers in (("cpu", torch.float64), (options.device, torch.float32)))
    return error(out, reference)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="smaller networks")
    parser.add_argument("--seconds", type=float, default=15, help="for the optimising executor")
    options = parser.parse_args()
    torch.set_grad_enabled(False)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    table = Table()
    device = torch.cuda.get_device_name() if options.device.startswith("cuda") else options.device
    print(f"{device}, torch {torch.__version__}\n")
    print(f"{'':11}" + "".join(f"{head:>10}" for head in ("", "", "", "largest", "alone", "alone")))
    heads = ("float32", "bfloat16", "float16", "bfloat16", "float32", "bfloat16")
    print(f"{'network':11}" + "".join(f"{head:>10}" for head in heads), flush=True)
    for name, (build, batch) in SUBJECTS.items():
        try:
            check(name, build, batch, options, table)
        except Exception as e:
            table.failures.append(f"{name}: {str(e).strip().splitlines()[-1]}")
    torch.backends.cudnn.allow_tf32 = True
    for name in random_components.AUTOENCODERS:
        print(f"{name}, float32, TF32 in convolutions: {table.value(name, 'TF32', lambda: rounded(name, options)):>10}", flush=True)
    torch.backends.cudnn.allow_tf32 = False
    print("\nagainst diffusers' recordings, in float32 and in bfloat16")
    for model, run in recordings.CASES:

        def recorded(dtype):
            with torch.jit.optimized_execution(False):
                return error(*run(recordings.Recording(model, options.device, dtype)))

        subject = f"{model} {run.__name__}"
        exact = table.value(subject, "recorded", lambda: recorded(torch.float32), 1e-4)
        print(f"{subject:25}{exact:>10}{table.value(subject, 'recorded', lambda: recorded(torch.bfloat16), 5e-2):>10}", flush=True)
    same = recordings.noise(options.device)
    print(f"noise by seeds, made on the CPU: {'as recorded' if same else 'DIFFERENT'}")
    for failure in table.failures:
        print("FAILED " + failure, flush=True)
    found = len(table.failures)
    optimised(table, options.seconds)
    for failure in table.failures[found:]:
        print("FAILED " + failure)
    sys.exit(1 if table.failures or not same else 0)


if __name__ == "__main__":
    main()
