"""Trains the flow with its text encoders: the velocity from images to noise, for several sizes and text lengths."""

import argparse
import math
import os
import pathlib
import random

import torch
import torch.nn.functional as F

import networks
import shapes
from catalogue import ATTRIBUTES, caption, scene
from pool import LARGE, SMALL, pool, tensor
from prompts import Prompts
from training import Trainer, alone, workers

# FLUX attends to padding, so every supported text length must be trained: first the short ones, which cost less, then all.
TEXT_TOKENS, SHORT_SHARE, TEXT_SHARE = (32, 48, 64, 96, 128, 192, 256), (80, 15, 5, 0, 0, 0, 0), (40, 12, 20, 8, 10, 4, 6)
IMAGES = 16_000  # the maximum number of encoded images per size
EMPTY_SHARE = 0.08  # the share of empty prompts, away from which guidance leads
GUIDANCE = 2.0  # the scale of classifier-free guidance that is trained in


def latents(folder, size):
    """Packed latents [count, tokens, channels] of a pool, scaled to mean 0 and deviation 1, with their scenes and the scaling."""
    scenes = pool(folder, size)[1][:IMAGES]
    path = folder / f"latents-{size[0]}x{size[1]}.pt"
    if not path.exists():
        weights, images = torch.load(folder / "autoencoder.pt", weights_only=True)["average"], pool(folder, size)[0][:IMAGES]
        batches = []
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            for i in range(0, len(images), 50):
                batches.append(networks.encode(weights, shapes.AUTOENCODER, tensor(images[i:i + 50]))[0].half())
        torch.save(torch.cat(batches), path)
    raw = torch.load(path, weights_only=True)
    shift, scale = scaling(folder)
    return networks.pack(((raw.float() - shift) * scale).half()), scenes


def scaling(folder):
    """The shift and the scale of all latents, those of the square images: (shift_factor, scaling_factor)."""
    raw = torch.load(folder / "latents-128x128.pt", weights_only=True).float()
    return raw.mean().item(), 1 / raw.std().item()


def conditions(weights, clip_ids, t5_ids):
    return (networks.pooled(networks.below(weights, "text_encoder."), shapes.CLIP, clip_ids),
            networks.context(networks.below(weights, "text_encoder_2."), shapes.T5, t5_ids))


def times(count, tokens):
    """Stratified logit-normal times, some uniform; larger for larger images, because many pixels average noise out."""
    ranks = (torch.randperm(count) + torch.rand(count)) / count
    t = torch.sigmoid(math.sqrt(2) * torch.erfinv((2 * ranks - 1).clamp(-0.9995, 0.9995)) + 0.1)
    t = torch.where(torch.rand(count) < 0.15, torch.rand(count), t)
    shift = math.sqrt(tokens / 64)
    return shift * t / (1 + (shift - 1) * t)


def asked(scenes, tokens, prompts, rng):
    """Captions that fit, as token ids for both encoders."""
    texts = []
    for drawn in scenes:
        text = caption(drawn, rng)
        while len(prompts.t5.encode(text).ids) > tokens:
            text = caption(drawn, rng)
        texts.append("" if rng.random() < EMPTY_SHARE else text)
    return prompts.ids(texts, tokens)


def guidance(weights, velocity, noisy, tokens, t, rope, prompts, share):
    """The term that is added to the target so that the network itself learns guidance, with one call per step: at a share of
    1 the velocity settles at unguided + GUIDANCE · (plain - unguided) (model guidance, Tang et al. 2025)."""
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        pooled, context = (states.expand(len(noisy), *states.shape[1:]) for states in conditions(weights, *prompts.ids([""], tokens)))
        unguided = networks.velocity(networks.below(weights, "transformer."), shapes.TRANSFORMER, noisy, context, pooled, t, rope)
    return share * (1 - 1 / GUIDANCE) * (velocity.detach().float() - unguided.float())


def read(folder, prompts, minutes):
    """Text encoders that are trained to predict all attributes from pooled and mean states, as a start for the flow."""
    path = folder / "text.pt"
    if not path.exists():
        weights = {f"text_encoder.{name}": value for name, value in shapes.clip(2).items()}
        weights |= {f"text_encoder_2.{name}": value for name, value in shapes.t5(3).items()}
        count = sum(map(len, ATTRIBUTES.values()))
        heads = {"head": torch.randn(count, 96) * 0.1, "head_2": torch.randn(count, 128) * 0.1}
        trainer = Trainer(weights | heads, lambda name, value: False, folder / "text-state.pt", rate=2e-3)
        weights, rng = trainer.weights, random.Random(4)
        while trainer.seconds < 60 * minutes:
            scenes = [scene(rng) for _ in range(64)]
            tokens = rng.choices(TEXT_TOKENS, TEXT_SHARE)[0]
            clip_ids, t5_ids = asked(scenes, tokens, prompts, rng)
            truth = torch.tensor([drawn.labels() for drawn in scenes])
            said = t5_ids.ne(0).any(1)
            pooled, context = conditions(weights, clip_ids, t5_ids)
            mask = t5_ids.ne(0).float()[..., None]
            mean = (context * mask).sum(1) / mask.sum(1)
            loss, sizes = 0, [len(values) for values in ATTRIBUTES.values()]
            for states, head in ((pooled, "head"), (mean, "head_2")):
                for i, logits in enumerate(F.linear(states, weights[head]).split(sizes, 1)):
                    loss = loss + F.cross_entropy(logits[said], truth[said, i]) / len(sizes)
            trainer.update(loss, min(1, (trainer.step + 1) / 50) * (1 - trainer.seconds / (60 * minutes)) + 0.01)
            if trainer.step % 100 == 0:
                print(f"text step {trainer.step} at {trainer.seconds / 60:.1f} min: loss {loss.item():.4f}", flush=True)
        torch.save({name: value.detach() for name, value in weights.items() if not name.startswith("head")}, path)
    return torch.load(path, weights_only=True)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--minutes", type=float, default=60, help="of the whole training, including earlier runs")
    arguments.add_argument("--large-from", type=float, default=1, help="the share of the time after which large images are included; 1 for never")
    arguments.add_argument("--guided-from", type=float, default=0.3, help="the share of the time after which guidance is trained in")
    arguments.add_argument("--long-from", type=float, default=0.6, help="the share of the time after which long texts are included")
    arguments.add_argument("--text-minutes", type=float, default=1.5)
    arguments.add_argument("--start", type=pathlib.Path, help="a checkpoint to start from, instead of random weights")
    arguments.add_argument("--workers", type=int, default=os.cpu_count())
    options = arguments.parse_args()
    lock = alone(options.folder)  # noqa: F841, locked until the process ends
    torch.manual_seed(5)
    if options.start is None:
        read(options.folder, Prompts(), options.text_minutes)
    for size in SMALL | LARGE if options.large_from < 1 else SMALL:
        latents(options.folder, size)
    workers(options.workers, train, options)


def train(options, rank):
    prompts = Prompts()
    if options.start is None:
        weights = {f"transformer.{name}": value for name, value in shapes.transformer(6).items()}
        weights |= read(options.folder, prompts, options.text_minutes)
    else:
        parts = ("transformer", "text_encoder", "text_encoder_2")
        weights = {f"{part}.{name}": value for part in parts for name, value in shapes.trained(options.start / part).items()}
    matrices = lambda name, value: value.dim() == 2 and "transformer_blocks." in name and ".norm" not in name
    trainer = Trainer(weights, matrices, options.folder / "flow.pt", rate=1.5e-3, muon_rate=2.5e-3)
    # All workers draw the same kind of step, but each draws its own images.
    kinds, rng, data, limit, totals = random.Random(trainer.step), random.Random(f"{trainer.step} {rank}"), {}, 60 * options.minutes, {}
    torch.manual_seed(1000 * trainer.step + rank)
    ropes = {}
    while (progress := trainer.seconds / limit) < 1:
        large = progress >= options.large_from and kinds.random() < 0.6
        size = kinds.choices(list(LARGE if large else SMALL), (4, 3, 3))[0]
        if size not in data:
            data[size] = latents(options.folder, size)
        images, scenes = data[size]
        tokens = kinds.choices(TEXT_TOKENS, TEXT_SHARE if progress >= options.long_from else SHORT_SHARE)[0]
        chosen = [rng.randrange(len(scenes)) for _ in range((20 if large else 64) // options.workers)]
        clip_ids, t5_ids = asked([scenes[i] for i in chosen], tokens, prompts, rng)
        if (size, tokens) not in ropes:
            ropes[size, tokens] = networks.rope(shapes.TRANSFORMER, tokens, size[1] // 16, size[0] // 16)
        clean = images[chosen].float()
        noise, t = torch.randn_like(clean), times(len(chosen), clean.size(1))
        noisy = torch.lerp(clean, noise, t[:, None, None])
        with torch.autocast("cpu", torch.bfloat16):
            pooled, context = conditions(weights, clip_ids, t5_ids)
            velocity = networks.velocity(networks.below(weights, "transformer."), shapes.TRANSFORMER, noisy, context, pooled, t, ropes[size, tokens])
        target = noise - clean
        if (share := min(1, 10 * (progress - options.guided_from))) > 0:
            target = target + guidance(weights, velocity, noisy, tokens, t, ropes[size, tokens], prompts, share)
        loss = (velocity.float() - target).square().mean()
        scale = min(1, (trainer.step + 1) / 80) * (1 if progress < 0.3 else max(0.02, 1 - (progress - 0.3) / 0.7 * 0.98))
        trainer.update(loss, scale)
        total = totals.setdefault(large, [0, 0])
        total[0], total[1] = total[0] + loss.item(), total[1] + 1
        if rank == 0 and trainer.step % 50 == 0:
            means = ", ".join(f"{'large' if which else 'small'} {total / count:.4f}" for which, (total, count) in sorted(totals.items()))
            print(f"flow step {trainer.step} at {trainer.seconds / 60:.1f} min: loss {means}", flush=True)
            totals = {}
        if rank == 0 and trainer.step % 300 == 0:
            trainer.save()
    if rank == 0:
        trainer.save()


if __name__ == "__main__":
    main()
