"""Timing, memory and profiles for the scripts that measure a GPU."""

import argparse
import os
import re
import statistics
import sys
import threading
import time

import torch

GROUPS = {  # of kernels by name, the first that matches
    "attention": r"flash|fmha|sdpa|attention",
    "products": r"gemm|nvjet|cublas|cutlass|wgmma|xmma|splitk|gemv|addmm|scaled_mm|conv(?!ert)|implicit|cudnn",
    "rotation": r"complex",
    "norms": r"norm|welford|rowwisemoments|softmax",
    "copies": r"copy|catarray|aten::cat|memcpy|memset|nchwtonhwc|nhwctonchw",
    "element-wise": r"elementwise|vectorized|unrolled|reduce|gelu|silu|mul|add|triton",
    "other": r"",
}
GIB = 2**30
FAILED = []  # titles of parts


def options(doc, **more):
    """The options that all these scripts have."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="small networks and images, to check the script")
    for name, (default, text) in more.items():
        kind = {"action": "store_true"} if default is False else {"default": default, "type": type(default)}
        if isinstance(default, list):
            kind = {"default": default, "type": type(default[0]), "nargs": "+"}
        parser.add_argument("--" + name, help=text, **kind)
    return parser.parse_args()


class Device:
    """A GPU, or the CPU for tests of the scripts."""

    def __init__(self, options):
        torch.set_grad_enabled(False)
        self.name, self.tiny = options.device, options.tiny
        self.cuda = options.device.startswith("cuda")
        self.dtype = torch.bfloat16 if self.cuda else torch.float32
        self.start = time.perf_counter()
        title = torch.cuda.get_device_name() if self.cuda else "cpu"
        print(f"{title}, torch {torch.__version__}, {self.dtype}", flush=True)

    @property
    def size(self):
        return "tiny" if self.tiny else "released"

    def wait(self):
        if self.cuda:
            torch.cuda.synchronize()

    def empty(self):
        if self.cuda:
            torch.cuda.empty_cache()

    def seconds(self, work):
        """Median seconds of a function, and the seconds until it has given the device all its work."""
        first = self.once(work)[0]
        if first < 0.3:
            first = self.once(work)[0]
        taken = [self.once(work) for _ in range(1 if self.tiny else max(2, min(10, int(0.5 / first))))]
        return tuple(statistics.median(times) for times in zip(*taken))

    def once(self, work):
        self.wait()
        start = time.perf_counter()
        work()
        given = time.perf_counter()
        self.wait()
        return time.perf_counter() - start, given - start

    def memory(self, work):
        """GiB that a function needs beyond what is allocated before, and at its peak in all."""
        if not self.cuda:
            work()
            return 0.0, 0.0
        self.wait()
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        work()
        self.wait()
        most = torch.cuda.max_memory_allocated()
        return (most - before) / GIB, most / GIB

    def peak(self):
        """Operations per second of a large square product."""
        n = 256 if self.tiny else 8192
        a, b = (torch.randn(n, n, device=self.name, dtype=self.dtype) for _ in range(2))
        return 2 * n**3 / self.seconds(lambda: a @ b)[0]

    def profile(self, work):
        """Milliseconds of each group of kernels, and of each kernel of attention."""
        kind = torch.profiler.ProfilerActivity.CUDA if self.cuda else torch.profiler.ProfilerActivity.CPU
        work()
        self.wait()
        with torch.profiler.profile(activities=[kind]) as profiler:
            work()
            self.wait()
        groups, kernels = dict.fromkeys(GROUPS, 0.0), {}
        for event in profiler.key_averages():
            time_us = event.self_device_time_total if self.cuda else event.self_cpu_time_total
            group = next(group for group, pattern in GROUPS.items() if re.search(pattern, event.key, re.IGNORECASE))
            groups[group] += time_us / 1e3
            kernels[event.key] = (group, time_us / 1e3)
        return groups, kernels


def error(out, reference):
    """The relative difference of a tensor from another."""
    out, reference = out.to(reference.device).double(), reference.double()
    return ((out - reference).norm() / reference.norm()).item()


def reason(e):
    """The last line of an exception."""
    return (str(e).strip().splitlines() or [repr(e)])[-1][:160]


def failed(title, e):
    """Says that a part failed, and remembers it for the status of the script."""
    FAILED.append(title)
    print(f"{title}  FAILED: {type(e).__name__}: {reason(e)}", flush=True)


def run(main):
    """Runs a script; its status is 1 if a part failed."""
    main()
    sys.exit(1 if FAILED else 0)


def attempt(title, work):
    """Does a part of a script; if it fails, says so, and the script goes on."""
    start = time.perf_counter()
    print(f"\n{title}", flush=True)
    try:
        work()
    except Exception as e:
        failed(title, e)
    print(f"({time.perf_counter() - start:.1f} s)", flush=True)


def end_after(seconds):
    """Ends the process then, wherever it is."""

    def end():
        print(f"\nENDED after {seconds:.0f} s", flush=True)
        os._exit(3)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
