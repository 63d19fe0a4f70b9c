"""Trains the flow with its text encoders: the velocity from images to noise, for several sizes and text lengths."""

import argparse
import itertools
import json
import math
import os
import pathlib
import random

import numpy as np
import torch

import networks
import shapes
from pool import LARGE, MEDIUM, SMALL, pool, tensor
from prompts import Prompts
from text import TEXT_SHARE, TEXT_TOKENS, asked, conditions, keep
from training import DEVICE, Trainer, ahead, alone, autocast, workers

GUIDANCE = 2.0  # the scale of classifier-free guidance that is trained in
BADGE_WEIGHT = 6.0  # of the tokens around a badge in the loss, since letters are small
GROUPS = {"small": (SMALL, 64), "medium": (MEDIUM, 40), "large": (LARGE, 20)}  # the sizes and the number of images of a step
CHUNK, AT_ONCE = 500, 250 if DEVICE.type == "cuda" else 20  # images that are encoded between two notes of the progress, and at once


def autoencoder(folder, start):
    """The weights of the autoencoder that was trained here, or of the one of the checkpoint `start`."""
    path = folder / "autoencoder.pt"
    weights = torch.load(path, DEVICE, weights_only=True)["average"] if path.exists() else shapes.trained(start / "vae")
    return {name: value.to(DEVICE) for name, value in weights.items()}


def scaling(folder, start=None):
    """The shift and the scale of all latents, those of the first square images or of the checkpoint `start`: (shift_factor, scaling_factor)."""
    path = folder / "scaling.json"
    if not path.exists():
        if (folder / "autoencoder.pt").exists():
            with torch.no_grad():
                raw = torch.cat([networks.encode(autoencoder(folder, start), shapes.AUTOENCODER, tensor(some))[0]
                                 for some in np.split(pool(folder, (128, 128))[0][:200], 10)])
            values = raw.mean().item(), 1 / raw.std().item()
        else:
            config = json.loads((start / "vae/config.json").read_text())
            values = config["shift_factor"], config["scaling_factor"]
        path.write_text(json.dumps(values))
    return json.loads(path.read_text())


def encode(folder, size, start):
    """Encodes a pool once; a stopped encoding continues where it was."""
    images, path, done = pool(folder, size)[0], folder / f"latents-{size[0]}x{size[1]}.npy", folder / f"latents-{size[0]}x{size[1]}.txt"
    count, wanted = int(done.read_text()) if done.exists() else 0, min(len(images), int(os.environ.get("ENCODE_AT_MOST", len(images))))
    if count >= wanted:
        return
    weights, shape = autoencoder(folder, start), (len(images), shapes.LATENT_CHANNELS, size[1] // 8, size[0] // 8)
    latents = np.lib.format.open_memmap(path, "r+" if count else "w+", np.float16, shape)
    with torch.no_grad(), autocast():
        while count < wanted:
            stop = min(wanted, count + CHUNK)
            for i in range(count, stop, AT_ONCE):
                some = slice(i, min(i + AT_ONCE, stop))
                latents[some] = networks.encode(weights, shapes.AUTOENCODER, tensor(images[some]))[0].half().cpu().numpy()
            latents.flush()
            count = stop
            done.write_text(str(count))
    print(f"latents of {count} images {size[0]}x{size[1]}", flush=True)


def frequency(drawn):
    """How often a scene is chosen, relative to others: scenes like those that earlier weights drew wrong most often are chosen more often."""
    hard = [(drawn.label in ("bio", "eco"), 2.5), (drawn.product == "book", 1.7), (drawn.product in ("mug", "phone", "wristwatch"), 1.2), (drawn.size == "small", 1.3),
            (drawn.colour in ("white", "black"), 1.3), (drawn.background == "grey", 1.2)]
    return math.prod(factor for is_hard, factor in hard if is_hard)


class Steps(torch.utils.data.Dataset):
    """What a worker trains on in each step: (group, size, number of text tokens, latents, weights of their tokens, ids of both tokenizers). It depends on
    the number of the step, not on interruptions. All workers draw the same kind of step, but each draws its own images."""

    def __init__(self, options, rank, large):
        self.options, self.rank, self.large, self.prompts = options, rank, large, Prompts(options.folder)
        self.images = {size: Images(options.folder, size) for size in (SMALL | MEDIUM | LARGE if large else SMALL)}

    def __getitem__(self, step):
        kinds, rng = random.Random(f"kind {step}"), random.Random(f"step {step} {self.rank}")
        group = kinds.choices(list(GROUPS), (6, 1, 3))[0] if self.large else "small"
        sizes, count = GROUPS[group]
        size = kinds.choices(list(sizes), (6, 2, 2) if group == "large" else (4, 3, 3))[0]
        images, tokens = self.images[size], kinds.choices(TEXT_TOKENS, TEXT_SHARE)[0]
        chosen = images.choose(count * self.options.times // self.options.workers, rng)
        return group, size, tokens, images.chosen(chosen), images.weight(chosen), *asked([images.scenes[i] for i in chosen], tokens, self.prompts, rng)


class Images:
    """The latents of one size, their scenes, and where their badges are."""

    def __init__(self, folder, size):
        name = f"latents-{size[0]}x{size[1]}"
        self.latents, self.scenes = np.load(folder / f"{name}.npy", mmap_mode="r"), pool(folder, size)[1][:int((folder / f"{name}.txt").read_text())]
        self.columns, self.rows = size[0] // 16, size[1] // 16
        self.cumulative = list(itertools.accumulate(map(frequency, self.scenes)))

    def choose(self, count, rng):
        return rng.choices(range(len(self.scenes)), cum_weights=self.cumulative, k=count)

    def chosen(self, chosen):
        """Latents [count, channels, height, width] of the chosen images."""
        return torch.from_numpy(np.stack([self.latents[i] for i in chosen]))

    def weight(self, chosen):
        """The weight of each token in the loss [count, tokens, 1]."""
        weight = torch.ones(len(chosen), self.rows, self.columns)
        side = min(self.rows, self.columns)
        high, wide = math.ceil(0.25 * side), math.ceil(0.5 * side)
        for one, i in zip(weight, chosen):
            if self.scenes[i].label:
                one[:high, :wide] += BADGE_WEIGHT - 1 if self.scenes[i].position == "right" else 0
                one[:high, -wide:] += BADGE_WEIGHT - 1 if self.scenes[i].position != "right" else 0
        return weight.flatten(1)[..., None]


def times(count, tokens):
    """Stratified logit-normal times, some uniform; larger for larger images, because many pixels average noise out."""
    ranks = (torch.randperm(count) + torch.rand(count)) / count
    t = torch.sigmoid(math.sqrt(2) * torch.erfinv((2 * ranks - 1).clamp(-0.9995, 0.9995)) + 0.1)
    t = torch.where(torch.rand(count) < 0.15, torch.rand(count), t)
    shift = math.sqrt(tokens / 64)
    return shift * t / (1 + (shift - 1) * t)


def guidance(weights, velocity, noisy, tokens, t, rope, prompts, share):
    """The term that is added to the target so that the network itself learns guidance, with one call per step: at a share of
    1 the velocity settles at unguided + GUIDANCE · (plain - unguided) (model guidance, Tang et al. 2025)."""
    with torch.no_grad(), autocast():
        empty = (ids.to(DEVICE) for ids in prompts.ids([""], tokens))
        pooled, context = (states.expand(len(noisy), *states.shape[1:]) for states in conditions(weights, *empty))
        unguided = networks.velocity(networks.below(weights, "transformer."), shapes.TRANSFORMER, noisy, context, pooled, t, rope)
    return share * (1 - 1 / GUIDANCE) * (velocity.detach().float() - unguided.float())


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--minutes", type=float, default=120, help="of the whole training, including earlier runs, in processor time per worker")
    arguments.add_argument("--large-after", type=float, default=40, help="minutes of the training after which larger images are included")
    arguments.add_argument("--only-small", action="store_true", help="stop where larger images are needed")
    arguments.add_argument("--guided-after", type=float, default=36, help="minutes after which guidance is trained in; 0 with --start")
    arguments.add_argument("--decay-share", type=float, default=0.3, help="the last share of the time, in which learning rates decrease")
    arguments.add_argument("--start", type=pathlib.Path, help="a checkpoint to start from, instead of random weights")
    arguments.add_argument("--rate", type=float, help="factor of the learning rates; by default 0.4 with --start, otherwise 1")
    arguments.add_argument("--times", type=int, default=8 if DEVICE.type == "cuda" else 1, help="how many times as many images a step has, for a GPU")
    arguments.add_argument("--workers", type=int, default=1 if DEVICE.type == "cuda" else os.cpu_count())
    options = arguments.parse_args()
    lock = alone(options.folder)  # noqa: F841, locked until the process ends
    torch.manual_seed(5)
    torch.set_num_threads(1)
    scaling(options.folder, options.start)
    if options.start and not (options.folder / "text.pt").exists():
        keep(options.start, options.folder)
    for size in SMALL:
        encode(options.folder, size, options.start)
    workers(options.workers, train, (options, min(options.large_after, options.minutes), False))
    if options.only_small or options.large_after >= options.minutes:
        return
    for size in MEDIUM | LARGE:
        encode(options.folder, size, options.start)
    workers(options.workers, train, (options, options.minutes, True))


def scale(trainer, options):
    """The factor of the learning rates: lower for weights that are already trained."""
    progress = trainer.seconds / (60 * options.minutes)
    falling = 1 if progress < 1 - options.decay_share else max(0.02, (1 - progress) / options.decay_share)
    return min(1, (trainer.step + 1) / 80) * falling * (options.rate or (0.4 if options.start else 1))


def train(task, rank):
    (options, until, large), minute = task, 60
    prompts, (shift, scaled) = Prompts(options.folder), scaling(options.folder, options.start)
    if options.start is None:
        weights = {f"transformer.{name}": value for name, value in shapes.transformer(6).items()}
    else:
        weights = {f"transformer.{name}": value for name, value in shapes.trained(options.start / "transformer").items()}
    weights |= torch.load(options.folder / "text.pt", "cpu", weights_only=True)
    matrices = lambda name, value: value.dim() == 2 and "transformer_blocks." in name and ".norm" not in name
    trainer = Trainer(weights, matrices, options.folder / "flow.pt", rate=1.5e-3, muon_rate=2.5e-3, decay=0.997)
    weights, totals, ropes = trainer.weights, {}, {}
    for group, size, tokens, *parts in ahead(Steps(options, rank, large), trainer.step):
        if trainer.seconds >= minute * until:
            break
        torch.manual_seed(1000 * trainer.step + rank)
        latents, weight, clip_ids, t5_ids = (part.to(DEVICE, non_blocking=True) for part in parts)
        kind = *size, tokens
        if kind not in ropes:
            ropes[kind] = networks.rope(shapes.TRANSFORMER, tokens, size[1] // 16, size[0] // 16).to(DEVICE)
        clean = networks.pack((latents.float() - shift) * scaled)  # mean 0 and deviation 1
        noise, t = torch.randn_like(clean), times(len(clean), clean.size(1)).to(DEVICE)
        noisy = torch.lerp(clean, noise, t[:, None, None])
        with autocast():
            pooled, context = conditions(weights, clip_ids, t5_ids)
            velocity = networks.velocity(networks.below(weights, "transformer."), shapes.TRANSFORMER, noisy, context, pooled, t, ropes[kind])
        target = noise - clean
        share = 1 if options.start else min(1, (trainer.seconds / minute - options.guided_after) / 12)
        if share > 0:
            target = target + guidance(weights, velocity, noisy, tokens, t, ropes[kind], prompts, share)
        error = (velocity.float() - target).square()
        trainer.update((error * weight).mean(), scale(trainer, options))
        total = totals.setdefault(group, [0, 0])
        total[0], total[1] = total[0] + error.detach().mean(), total[1] + 1
        if rank == 0 and trainer.step % 25 == 0:
            means = ", ".join(f"{which} {total / count:.4f}" for which, (total, count) in sorted(totals.items()))
            print(f"flow step {trainer.step} at {trainer.seconds / minute:.1f} min: loss {means}", flush=True)
            totals = {}
        if rank == 0:
            trainer.save_sometimes()
    if rank == 0:
        trainer.save()


if __name__ == "__main__":
    main()
