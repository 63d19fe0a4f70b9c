"""Evaluates a checkpoint on held-out combinations: what the judge reads in its images, by phrasing, size and steps; their distance from renders; and the
differences between seeds."""

import argparse
import csv
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
from captions import STYLES, caption, known
from catalogue import LAYOUT, READ, Scene, scene
from pool import tensor
from prompts import CHECKPOINT, Prompts
from render import render
from training import DEVICE

BATCH, PLAIN, BY_HAND = 50, "plain", "by hand"


class Checkpoint:
    """A small checkpoint in FLUX's layout, run like diffusers' FluxPipeline: fp32, noise from one generator per image."""

    def __init__(self, folder):
        self.folder, self.prompts = folder, Prompts(folder)
        self.transformer, self.vae, self.clip, self.t5 = (self.part(name) for name in ("transformer", "vae", "text_encoder", "text_encoder_2"))
        self.scheduler = json.loads((folder / "scheduler/scheduler_config.json").read_text())

    def part(self, name):
        weights = load_file(next((self.folder / name).glob("*.safetensors")))
        return {key: value.float().to(DEVICE) for key, value in weights.items()}, json.loads((self.folder / name / "config.json").read_text())

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
        x = networks.pack(torch.cat([torch.randn(shape, generator=torch.Generator().manual_seed(seed + i)) for i in range(len(texts))]).to(DEVICE))
        clip_ids, t5_ids = (ids.to(DEVICE) for ids in self.prompts.ids(texts, text_tokens))
        pooled, context = networks.pooled(*self.clip, clip_ids), networks.context(*self.t5, t5_ids)
        rope = networks.rope(config, text_tokens, rows, columns).to(DEVICE)
        sigmas = self.sigmas(steps, rows * columns)
        for sigma, following in zip(sigmas, sigmas[1:]):
            x = x + (following - sigma) * networks.velocity(transformer, config, x, context, pooled, torch.full((len(texts),), sigma, device=DEVICE), rope)
        latents = networks.unpack(x, rows, columns) / vae_config["scaling_factor"] + vae_config["shift_factor"]
        images = networks.decode(vae, vae_config, latents.contiguous(memory_format=torch.channels_last)).clamp(-1, 1)
        return (((images + 1) * 127.5).round() / 127.5 - 1).cpu()


def asked(count, held, seed, style=None, **fixed):
    """Scenes with one prompt each, the same at every call: in one of the STYLES of captions, with labels, or, without a style, in the plain words that
    every version of the checkpoint was trained on, without finish and label."""
    rng = random.Random(seed)
    if style == BY_HAND:
        return by_hand(count)
    scenes = [scene(rng, held=held, plain=style is None, **fixed) for _ in range(count)]
    return scenes, [known(drawn) if style is None else caption(drawn, rng, style) for drawn in scenes]


def by_hand(count):
    """Prompts that were written without the generator of captions, for held-out combinations."""
    with (pathlib.Path(__file__).parent / "by-hand.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[:count]
    return [Scene(**{name: value for name, value in row.items() if name != "prompt"}) for row in rows], [row["prompt"] for row in rows]


def renders(scenes, size):
    return tensor(np.stack([render(drawn, *size, 2 * 10**6 + i) for i, drawn in enumerate(scenes)])).cpu()


@torch.no_grad()
def features(judge, images):
    return torch.cat([judge.features(images[i:i + 64]) for i in range(0, len(images), 64)]).double().cpu().numpy()


def frechet(a, b):
    """The Fréchet distance between two sets of features, as normal distributions (Heusel et al. 2017)."""
    mean_a, mean_b, cov_a, cov_b = a.mean(0), b.mean(0), np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = scipy.linalg.sqrtm(cov_a @ cov_b)  # of fewer images than features it is not reliable
    return float(np.square(mean_a - mean_b).sum() + np.trace(cov_a + cov_b - 2 * root.real))


def edge_energy(images):
    return float(images.diff(dim=-1).square().mean() + images.diff(dim=-2).square().mean())


def sheet(images, columns, path):
    pixels = ((images + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
    columns = min(columns, len(pixels))
    rows = [np.concatenate(list(pixels[i:i + columns]), 1) for i in range(0, len(pixels) - len(pixels) % columns, columns)]
    Image.fromarray(np.concatenate(rows)).save(path)


def percent(right):
    return f"{100 * right.float().mean():.1f}"


def measure(options, size, steps, phrasing, judge, checkpoint):
    """The results for one phrasing, and a contact sheet."""
    scenes, texts = asked(options.count, True, 77, phrasing)
    drawn = checkpoint.draw(texts, size, steps, options.text_tokens)
    found, labelled = judge.right(drawn, scenes), torch.tensor([each.label != "" for each in scenes])
    sheet(drawn[:32], 8, options.folder / f"{options.checkpoint.name}-{size[0]}x{size[1]}-{steps}-{phrasing}.png")
    share = lambda name, where=slice(None): round(100 * found[name][where].float().mean().item(), 1)
    return {"all": share("all"), "label": share("label"), "label of labelled": share("label", labelled), "layout": share("layout"),
            **{name: share(name) for name in (*READ, *LAYOUT)}}


def distances(options, size, steps, judge, checkpoint):
    """The distance from renders and the edge energy, for plain prompts of scenes without finish and label."""
    scenes, texts = asked(options.count, True, 77)
    drawn = checkpoint.draw(texts, size, steps, options.text_tokens)
    true, other = renders(scenes, size), renders(asked(options.count, True, 78)[0], size)
    small = torch.tensor([each.size == "small" for each in scenes])
    found = judge.right(drawn, scenes)
    return {"all": float(percent(found["all"])), "all of small": float(percent(found["all"][small])), "layout": float(percent(found["layout"])),
            "no label": float(percent(found["label"])), "frechet": round(frechet(features(judge, drawn), features(judge, true)), 1),
            "frechet of other renders": round(frechet(features(judge, other), features(judge, true)), 1),
            "edge energy": round(edge_energy(drawn) / edge_energy(true), 3)}


def diversity(checkpoint, text_tokens):
    """The differences between images of one prompt: every seed should give another image."""
    drawn = checkpoint.draw(["a small red chair on a wooden table"] * 8, (128, 128), text_tokens=text_tokens, seed=100)
    apart = torch.cdist(drawn.flatten(1), drawn.flatten(1), p=1)[~torch.eye(8, dtype=bool)] / drawn[0].numel() / 2
    return {"mean": round(apart.mean().item(), 4), "least": round(apart.min().item(), 4)}


def line(options, size, steps, phrasing):
    torch.set_num_threads(1)  # each line runs in its own process
    judge, checkpoint = judges.load(options.folder), Checkpoint(options.checkpoint)
    kind = distances(options, size, steps, judge, checkpoint) if phrasing == PLAIN else measure(options, size, steps, phrasing, judge, checkpoint)
    return {"checkpoint": options.checkpoint.name, "image": f"{size[0]}x{size[1]}", "steps": steps, "phrasing": phrasing, "count": options.count, **kind}


def sizes(text):
    return [tuple(map(int, size.split("x"))) for size in text.split(",")]


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=pathlib.Path, help="that holds the judge and receives the contact sheets and results.jsonl")
    arguments.add_argument("--checkpoint", type=pathlib.Path, default=CHECKPOINT)
    arguments.add_argument("--count", type=int, default=300)
    arguments.add_argument("--text-tokens", type=int, default=64)
    arguments.add_argument("--sizes", type=sizes, default=sizes("128x128,256x256"))
    arguments.add_argument("--steps", type=lambda text: list(map(int, text.split(","))), default=[8, 4])
    arguments.add_argument("--phrasings", type=lambda text: text.split(","), default=[PLAIN, *STYLES, BY_HAND])
    arguments.add_argument("--workers", type=int, default=None)
    options = arguments.parse_args()
    with ProcessPoolExecutor(options.workers, mp_context=multiprocessing.get_context("spawn")) as workers, (options.folder / "results.jsonl").open("a") as results:
        lines = [workers.submit(line, options, size, steps, phrasing) for size in options.sizes for steps in options.steps for phrasing in options.phrasings]
        for each in lines:
            text = json.dumps(each.result())
            print(text, flush=True)
            results.write(text + "\n")
    print("differences between eight seeds, of the range:", diversity(Checkpoint(options.checkpoint), options.text_tokens))


if __name__ == "__main__":
    main()
