"""A checkpoint of FLUX.1-schnell's size with random weights in bfloat16, in diffusers' layout, 33.5 GB.

Its tokenizers and the other keys of its configs are those of the reference checkpoint in src/test/resources, so its prompts have few
different tokens; times and memory are those of the real checkpoint. The device makes the numbers.

Usage: python random_checkpoint.py DIRECTORY [--device cuda] [--tiny]
"""

import argparse
import concurrent.futures
import contextlib
import itertools
import json
import math
import os
import pathlib
import shutil
import threading
import time

import torch

import random_components
import random_networks
from random_weights import Numbers, chosen
from recordings import REFERENCE

SCHNELL = REFERENCE / "flux-schnell" / "checkpoint"
THREAD = threading.local()
STEM = {"transformer": "diffusion_pytorch_model", "vae": "diffusion_pytorch_model", "text_encoder": "model", "text_encoder_2": "model"}


def components(tiny):
    """The config's sizes and the shapes of each component."""
    size = "tiny" if tiny else "released"
    heads, double, single = (2, 2, 2) if tiny else (24, 19, 38)
    t5_width, inner, t5_heads, t5_layers, words = (256, 512, 4, 2, 32128) if tiny else (4096, 10240, 64, 24, 32128)
    clip_width, clip_heads, clip_layers = (64, 1, 2) if tiny else (768, 12, 12)
    channels = chosen(size, [128, 256, 512, 512], None, [32, 32, 64, 64])
    transformer = {"attention_head_dim": 128, "axes_dims_rope": [16, 56, 56], "num_attention_heads": heads, "num_layers": double}
    transformer |= {"num_single_layers": single, "joint_attention_dim": t5_width, "pooled_projection_dim": clip_width}
    t5 = {"d_model": t5_width, "d_ff": inner, "d_kv": 64, "num_heads": t5_heads, "num_layers": t5_layers, "vocab_size": words}
    clip = {"hidden_size": clip_width, "intermediate_size": 4 * clip_width, "num_attention_heads": clip_heads}
    clip |= {"num_hidden_layers": clip_layers, "vocab_size": 49408, "projection_dim": clip_width}
    vae = {"block_out_channels": channels, "layers_per_block": 2, "norm_num_groups": 32, "latent_channels": 16}
    return {
        "transformer": (transformer, random_networks.flux_shapes(heads, double, single, t5_width, clip_width, guided=False)),
        "text_encoder_2": (t5, random_components.t5_shapes(t5_width, inner, t5_heads, t5_layers, words)),
        "text_encoder": (clip, random_components.clip_shapes(clip_width, 4 * clip_width, clip_layers, 49408, "text_model.")),
        "vae": (vae, random_components.kl_shapes(16, channels, 3, False)),
    }


def shards(shapes, most):
    """The tensors of each file: names in order, at most so many bytes."""
    files, room = [], 0
    for name, shape in shapes.items():
        size = 2 * math.prod(shape)
        if not files or size > room:
            files.append([])
            room = most
        files[-1].append(name)
        room -= size
    return files


class Shard:
    """A safetensors file of some tensors, which are written in any order."""

    def __init__(self, path, names, shapes):
        self.shapes, self.names, self.starts = shapes, names, {}
        header, end = {"__metadata__": {"format": "pt"}}, 0
        for name in names:
            start, end = end, end + 2 * math.prod(shapes.shapes[name])
            header[name] = {"dtype": "BF16", "shape": shapes.shapes[name], "data_offsets": [start, end]}
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        for name in names:
            self.starts[name] = 8 + len(text) + header[name]["data_offsets"][0]
        self.size = 8 + len(text) + end
        self.file = open(path, "wb")
        self.file.write(len(text).to_bytes(8, "little") + text)
        self.file.truncate(self.size)
        self.file.flush()

    def write(self, name, device, seed):
        """Makes a tensor on the device and writes it. A thread has its own stream, so that several copy at once."""
        cuda = device.startswith("cuda")
        if cuda and not hasattr(THREAD, "stream"):
            THREAD.stream = torch.cuda.Stream()
        with torch.no_grad(), torch.cuda.stream(THREAD.stream) if cuda else contextlib.nullcontext():
            numbers = Numbers(device, torch.bfloat16)
            numbers.generator.manual_seed(seed)
            made = self.shapes.random(name, numbers)
            host = torch.empty(made.shape, dtype=made.dtype, pin_memory=cuda).copy_(made)
        data, offset = memoryview(host.flatten().view(torch.uint8).numpy()), self.starts[name]
        while data:
            written = os.pwrite(self.file.fileno(), data, offset)
            data, offset = data[written:], offset + written


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--tiny", action="store_true", help="few layers, small widths")
    parser.add_argument("--shard", type=float, default=10e9, help="bytes of a file at most")
    options = parser.parse_args()
    start = time.perf_counter()
    for part in ("scheduler", "tokenizer", "tokenizer_2"):
        shutil.copytree(SCHNELL / part, options.directory / part, dirs_exist_ok=True)
    shutil.copy(SCHNELL / "model_index.json", options.directory)
    files = []
    for component, (sizes, shapes) in components(options.tiny).items():
        place = options.directory / component
        place.mkdir(exist_ok=True)
        config = json.loads((SCHNELL / component / "config.json").read_text(encoding="utf-8")) | sizes
        (place / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        parts = shards(shapes.shapes, options.shard)
        suffix = ["" if len(parts) == 1 else f"-{i + 1:05}-of-{len(parts):05}" for i in range(len(parts))]
        names = [f"{STEM[component]}{end}.safetensors" for end in suffix]
        files += [Shard(place / name, part, shapes) for name, part in zip(names, parts)]
        if len(parts) > 1:
            index = {"metadata": {"total_size": sum(2 * math.prod(shape) for shape in shapes.shapes.values())}}
            index["weight_map"] = {tensor: name for name, part in zip(names, parts) for tensor in part}
            (place / f"{STEM[component]}.safetensors.index.json").write_text(json.dumps(index, indent=2), encoding="utf-8")
    turns = [job for jobs in itertools.zip_longest(*([(file, name) for name in file.names] for file in files)) for job in jobs if job]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:  # a file takes one write at a time, so the files take turns
        for done in [pool.submit(file.write, name, options.device, seed) for seed, (file, name) in enumerate(turns)]:
            done.result()
    for file in files:
        file.file.close()
    size = sum(file.size for file in files)
    print(f"{options.directory}: {size / 1e9:.2f} GB in {len(files)} files, {time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
