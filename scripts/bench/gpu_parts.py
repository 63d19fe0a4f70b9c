"""Seconds and memory of the text encoders for a prompt of 512 tokens, and of decoding one image of 1024×1024, on a GPU.

Networks are those of Lightmill, at their released sizes with random bf16 weights. "channels last" has the kernels of the convolutions
in that memory layout, which Lightmill uses on CPUs only; the largest difference between both outputs follows. Then come the groups
of kernels of each autoencoder.

Usage: python gpu_parts.py                       (needs torch with CUDA)
       python gpu_parts.py --device cpu --tiny   (checks that the script runs)
"""

import torch

import gpu_tools
import random_components
from gpu_tools import GIB, Device, attempt, failed
from random_weights import Numbers


def size(w):
    return sum(x.numel() * x.element_size() for x in w.values()) / GIB


def text_encoders(device):
    print(f"{'encoder':10}  weights GiB  seconds    host     +GiB", flush=True)
    for name, build in random_components.TEXT_ENCODERS.items():
        try:
            component = build(Numbers(device.name, device.dtype), device.size)
            ids = component.inputs(1)
            more, _ = device.memory(lambda: component.run(ids))
            taken, host = device.seconds(lambda: component.run(ids))
            print(f"{name:10} {size(component.weights):12.2f} {taken:8.4f} {host:7.4f} {more:8.2f}", flush=True)
        except Exception as e:
            failed(f"{name:10}", e)
        component = None
        device.empty()


def autoencoders(device):
    print(f"{'decoder':10}  seconds    host     +GiB   channels last     +GiB  difference", flush=True)
    profiles = {}
    for name, build in random_components.AUTOENCODERS.items():
        try:
            component = build(Numbers(device.name, device.dtype), device.size)
            latents = component.inputs(1)
            more, _ = device.memory(lambda: component.run(latents))
            taken, host = device.seconds(lambda: component.run(latents))
            profiles[name] = device.profile(lambda: component.run(latents))
            plain, last = component.run(latents), torch.channels_last
            for key, x in component.weights.items():
                if x.dim() == 5:
                    component.weights[key] = x = x[:, :, -1]
                if x.dim() == 4 and x.size(-1) > 1:
                    component.weights[key] = x.contiguous(memory_format=last)
            latents = latents.contiguous(memory_format=last)
            less, _ = device.memory(lambda: component.run(latents))
            faster = device.seconds(lambda: component.run(latents))[0]
            apart = (component.run(latents) - plain).abs().max().item()
            print(f"{name:10} {taken:8.4f} {host:7.4f} {more:8.2f} {faster:15.4f} {less:8.2f} {apart:11.4f}", flush=True)
            profiles[name + " channels last"] = device.profile(lambda: component.run(latents))
        except Exception as e:
            failed(f"{name:10}", e)
        component = None
        device.empty()
    for name, (groups, kernels) in profiles.items():
        print(f"{name:24}" + "  ".join(f"{group} {time_ms:.1f}" for group, time_ms in groups.items()) + " ms")
        for kernel, (_, time_ms) in sorted(kernels.items(), key=lambda kernel: -kernel[1][1])[:4]:
            print(f"| {time_ms:8.2f} ms  {kernel[:130]}")


def main():
    device = Device(gpu_tools.options(__doc__))
    with torch.jit.optimized_execution(False):
        attempt("autoencoders", lambda: autoencoders(device))
        attempt("text encoders", lambda: text_encoders(device))


if __name__ == "__main__":
    gpu_tools.run(main)
