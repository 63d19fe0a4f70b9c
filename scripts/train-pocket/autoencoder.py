"""Trains the autoencoder: sharp pictures from latents that are smooth enough for a flow to reach them."""

import argparse
import math
import pathlib

import numpy as np
import torch
from PIL import Image

import networks
import shapes
from pool import LARGE, SMALL, pool, tensor
from training import Trainer

CROP, BATCH = 64, 12


def edges(x):
    return x[..., 1:] - x[..., :-1], x[..., 1:, :] - x[..., :-1, :]


def distance(drawn, true):
    """Absolute differences of pixels and, to punish smear, of edges; squares against rare blunders."""
    difference = drawn.float() - true
    edge = sum(part.abs().mean() for part in edges(difference))
    return difference.abs().mean() + edge + 0.5 * difference.square().mean()


def latents(mean, log_variance, noise):
    return mean + torch.exp(0.5 * log_variance.clamp(-12, 4)) * noise


def crops(pools, rng):
    """Random crops, of two the one with more edges; those of small pictures keep what is small, of large ones what is fine."""
    pictures = pools[rng.integers(len(pools))]
    return tensor(np.stack([max((crop(pictures[i], rng) for _ in range(2)), key=edginess) for i in rng.integers(0, len(pictures) - 100, BATCH)]))


def crop(picture, rng):
    y, x = (rng.integers(0, (length - CROP) // 8 + 1) * 8 for length in picture.shape[:2])
    return picture[y:y + CROP, x:x + CROP]


def edginess(picture):
    return np.abs(np.diff(picture[::2, ::2, 1].astype(np.int16), axis=1)).sum()


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--minutes", type=float, default=25)
    arguments.add_argument("--start", type=pathlib.Path, help="a checkpoint to begin with, in place of random weights")
    arguments.add_argument("--decoder-only", action="store_true", help="leave the encoder as it is, so that latents stay valid")
    options = arguments.parse_args()
    torch.manual_seed(0)
    pools = [pool(options.folder, size)[0] for size in [(128, 128), (128, 128), *SMALL, (256, 256), *LARGE]]
    begin = shapes.autoencoder(0) if options.start is None else shapes.trained(options.start / "vae")
    weights = {name: value.contiguous(memory_format=torch.channels_last) if value.dim() == 4 else value for name, value in begin.items()}
    kernels = lambda name, value: value.dim() == 4 and "resnets" in name and value.shape[-1] == 3
    trainer = Trainer(weights, kernels, options.folder / "autoencoder.pt", rate=2e-3, muon_rate=2e-3, decay=0.998)
    if options.decoder_only:
        trainer.settle()
    recent = []
    rng, start, limit = np.random.default_rng(trainer.step), trainer.seconds, options.minutes * 60
    while (progress := (trainer.seconds - start) / limit) < 1:
        true = crops(pools, rng)
        with torch.autocast("cpu", torch.bfloat16):
            mean, log_variance = networks.encode(weights, shapes.AUTOENCODER, true)
            mean, log_variance = mean.float(), log_variance.float()
            if options.decoder_only:
                mean, log_variance = mean.detach(), log_variance.detach()
            # Half of them noisier than the encoder asks for: the flow will not hit latents exactly either.
            noise = torch.randn_like(mean)
            extra = torch.rand(BATCH, 1, 1, 1) * (torch.rand(BATCH, 1, 1, 1) < 0.5) * 0.25 * mean.detach().std()
            drawn = networks.decode(weights, shapes.AUTOENCODER, latents(mean, log_variance, noise) + extra * torch.randn_like(mean))
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
        near = distance(drawn, true)
        recent.append(near.item())
        scale = min(1, (trainer.step + 1) / 50) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * max(0.0, (progress - 0.2) / 0.8))))
        trainer.update(near + 1e-3 * divergence, scale)
        if trainer.step % 50 == 0:
            print(f"autoencoder step {trainer.step} at {trainer.seconds / 60:.1f} min: distance {sum(recent) / len(recent):.4f} divergence {divergence.item():.2f}", flush=True)
            recent.clear()
        if trainer.step % 400 == 0:
            trainer.save()
    trainer.save()
    report(trainer.average.weights, options.folder)


@torch.no_grad()
def report(weights, folder):
    for size in ((128, 128), (256, 256)):
        true = tensor(pool(folder, size)[0][-64:])
        mean, log_variance = networks.encode(weights, shapes.AUTOENCODER, true)
        drawn = networks.decode(weights, shapes.AUTOENCODER, mean).clamp(-1, 1)
        rough = networks.decode(weights, shapes.AUTOENCODER, mean + 0.15 * mean.std() * torch.randn_like(mean)).clamp(-1, 1)
        signal, rough_signal = ((-10 * ((x - true) / 2).square().mean((1, 2, 3)).log10()).mean().item() for x in (drawn, rough))
        print(f"autoencoder {size}: PSNR {signal:.1f} dB, {rough_signal:.1f} dB with a noise of 0.15; latents' mean {mean.mean():.3f}, deviation {mean.std():.3f}, "
              f"by channel {[round(x, 2) for x in mean.std((0, 2, 3)).tolist()]}, posterior {torch.exp(0.5 * log_variance).mean():.3f}", flush=True)
        rows = [torch.cat(list(x[:8]), 2) for x in (true, drawn, rough)]
        Image.fromarray(((torch.cat(rows, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()).save(folder / f"autoencoder-{size[0]}.png")


if __name__ == "__main__":
    main()
