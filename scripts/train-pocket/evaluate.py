"""Evaluates a checkpoint: the judge's results on its images, their distance from renders, and the differences between seeds."""

import argparse
import json
import math
import multiprocessing
import pathlib
import random
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import scipy.linalg
import torch
from PIL import Image
from safetensors.torch import load_file

import judge as judges
import networks
from catalogue import SIZES, caption, scene
from pool import tensor
from prompts import CHECKPOINT, Prompts
from render import render

BATCH = 50


class Checkpoint:
    """A small checkpoint in FLUX's layout, run like diffusers' FluxPipeline: fp32, noise from one generator per image."""

    def __init__(self, folder):
        self.folder, self.prompts = folder, Prompts()
        self.transformer, self.vae, self.clip, self.t5 = (self.part(name) for name in ("transformer", "vae", "text_encoder", "text_encoder_2"))
        self.scheduler = json.loads((folder / "scheduler/scheduler_config.json").read_text())

    def part(self, name):
        weights = load_file(next((self.folder / name).glob("*.safetensors")))
        return {key: value.float() for key, value in weights.items()}, json.loads((self.folder / name / "config.json").read_text())

    def sigmas(self, steps, tokens):
        sigmas, s = torch.linspace(1, 1 / steps, steps), self.scheduler
        if s["use_dynamic_shifting"]:
            slope = (s["max_shift"] - s["base_shift"]) / (s["max_image_seq_len"] - s["base_image_seq_len"])
            shift = math.exp(s["base_shift"] + slope * (tokens - s["base_image_seq_len"]))
            sigmas = shift / (shift + (1 / sigmas - 1))
        return torch.cat([sigmas, torch.zeros(1)]).tolist()

    @torch.no_grad()
    def draw(self, texts, size, steps=8, text_tokens=64, seed=0):
        """Images [texts, 3, height, width] in [-1, 1], quantized to 8 bits; image i uses seed + i."""
        images = []
        for i in range(0, len(texts), BATCH):
            images.append(self.batch(texts[i:i + BATCH], size, steps, text_tokens, seed + i))
        return torch.cat(images)

    def batch(self, texts, size, steps, text_tokens, seed):
        (transformer, config), (vae, vae_config) = self.transformer, self.vae
        rows, columns = size[1] // 16, size[0] // 16
        shape = (1, vae_config["latent_channels"], 2 * rows, 2 * columns)
        x = networks.pack(torch.cat([torch.randn(shape, generator=torch.Generator().manual_seed(seed + i)) for i in range(len(texts))]))
        clip_ids, t5_ids = self.prompts.ids(texts, text_tokens)
        pooled, context = networks.pooled(*self.clip, clip_ids), networks.context(*self.t5, t5_ids)
        rope = networks.rope(config, text_tokens, rows, columns)
        sigmas = self.sigmas(steps, rows * columns)
        for sigma, following in zip(sigmas, sigmas[1:]):
            x = x + (following - sigma) * networks.velocity(transformer, config, x, context, pooled, torch.full((len(texts),), sigma), rope)
        latents = networks.unpack(x, rows, columns) / vae_config["scaling_factor"] + vae_config["shift_factor"]
        images = networks.decode(vae, vae_config, latents.contiguous(memory_format=torch.channels_last)).clamp(-1, 1)
        return ((images + 1) * 127.5).round() / 127.5 - 1


def asked(count, held, seed, **fixed):
    """Scenes with one caption each, the same at every call, without finish and label, which the judge does not read."""
    rng = random.Random(seed)
    scenes = [scene(rng, held=held, plain=True, **fixed) for _ in range(count)]
    return scenes, [caption(drawn, rng) for drawn in scenes]


def renders(scenes, size):
    return tensor(np.stack([render(drawn, *size, 2 * 10**6 + i) for i, drawn in enumerate(scenes)]))


@torch.no_grad()
def features(judge, images):
    return torch.cat([judge.features(images[i:i + 64]) for i in range(0, len(images), 64)]).double().numpy()


def frechet(a, b):
    """The Fréchet distance between two sets of features, as normal distributions (Heusel et al. 2017)."""
    mean_a, mean_b, cov_a, cov_b = a.mean(0), b.mean(0), np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = scipy.linalg.sqrtm(cov_a @ cov_b)
    return float(np.square(mean_a - mean_b).sum() + np.trace(cov_a + cov_b - 2 * root.real))


def edge_energy(images):
    return float(images.diff(dim=-1).square().mean() + images.diff(dim=-2).square().mean())


def sheet(images, columns, path):
    pixels = ((images + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
    rows = [np.concatenate(list(pixels[i:i + columns]), 1) for i in range(0, len(pixels) - len(pixels) % columns, columns)]
    Image.fromarray(np.concatenate(rows)).save(path)


def percent(right):
    return f"{100 * right.float().mean():.1f}"


def measure(options, size, steps, tokens, held, distances):
    """One line of results for one setting, and a contact sheet."""
    torch.set_num_threads(1)  # each line runs in its own process
    judge, checkpoint = judges.load(options.folder), Checkpoint(options.checkpoint)
    scenes, texts = asked(options.count, held, 77)
    drawn, name = checkpoint.draw(texts, size, steps, tokens), "held-out" if held else "seen"
    found, small = judge.right(drawn, scenes), torch.tensor([each.size == "small" for each in scenes])
    line = f"{size[0]}x{size[1]} steps {steps} text {tokens} {name} ({len(scenes)}): all {percent(found['all'])}, " + ", ".join(
        f"{key} {percent(found[key])}" for key in ("product", "colour", "background", "position", "size"))
    line += f"; small {percent(found['all'][small])} of {int(small.sum())}"
    if distances:
        true, other = renders(scenes, size), renders(asked(options.count, held, 78)[0], size)
        line += (f"; Fréchet {frechet(features(judge, drawn), features(judge, true)):.2f}"
                 f" (renders {frechet(features(judge, other), features(judge, true)):.2f})"
                 f"; edge energy {edge_energy(drawn) / edge_energy(true):.3f} of renders'")
    sheet(drawn[:32], 8, options.folder / f"{options.checkpoint.name}-{size[0]}x{size[1]}-{steps}-{tokens}-{name}.png")
    return line


def diversity(options):
    """The differences between images of one prompt: every seed should give another image."""
    torch.set_num_threads(1)
    drawn = Checkpoint(options.checkpoint).draw(["a small red chair on a wooden table"] * 8, (128, 128), text_tokens=options.text_tokens, seed=100)
    apart = torch.cdist(drawn.flatten(1), drawn.flatten(1), p=1)[~torch.eye(8, dtype=bool)] / drawn[0].numel() / 2
    return f"eight seeds of one prompt: mean absolute difference of pixels {apart.mean():.4f} of the range, least {apart.min():.4f}"


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=pathlib.Path, help="that holds the judge and receives the contact sheets")
    arguments.add_argument("--checkpoint", type=pathlib.Path, default=CHECKPOINT)
    arguments.add_argument("--count", type=int, default=300)
    arguments.add_argument("--text-tokens", type=int, default=64)
    arguments.add_argument("--brief", action="store_true", help="only with the size, steps and text length of the model card")
    options = arguments.parse_args()
    square, usual = (128, 128), options.text_tokens
    ways = [(square, 8, usual, True, True), (square, 4, usual, True, True)]
    if not options.brief:
        ways += [(size, 8, usual, True, False) for size in ((160, 96), (96, 160))]
        ways += [(square, 8, tokens, True, False) for tokens in (32, 256, 128)]
    ways += [(square, 8, usual, False, True), (square, 4, usual, False, True)]
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as workers:
        lines = [workers.submit(measure, options, *way) for way in ways] + [workers.submit(diversity, options)]
        for line in lines:
            print(line.result(), flush=True)


if __name__ == "__main__":
    main()
