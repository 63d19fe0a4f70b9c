"""Trains the autoencoder: sharp images from latents that are smooth enough for a flow to learn."""

import argparse
import math
import pathlib

import numpy as np
import torch
from PIL import Image

import networks
import shapes
from discriminator import Discriminator
from pool import LARGE, SMALL, pool, tensor
from training import DEVICE, Trainer, ahead, alone, autocast

CROP, CROPS, WHOLE = 64, 16, 4  # batches of both kinds have about the same number of pixels
BADGE_ROWS, BADGE_WEIGHT = 24, 3.0  # of 128; letters are small, so the rows of the badges weigh more
DIVERGENCE = 1e-4  # the KL weight; with ten times as much, thin parts and letters are lost


def edges(x):
    return x[..., 1:] - x[..., :-1], x[..., 1:, :] - x[..., :-1, :]


def distance(drawn, true, weight=1.0):
    """Absolute differences of pixels and, against blur, of edges; squared differences against rare large errors."""
    difference = (drawn.float() - true) * weight
    edge = sum(part.abs().mean() for part in edges(difference))
    return difference.abs().mean() + 1.5 * edge + 0.5 * difference.square().mean()


def latents(mean, log_variance, noise):
    return mean + torch.exp(0.5 * log_variance.clamp(-12, 4)) * noise


class Steps(torch.utils.data.Dataset):
    """Batches of whole images, so that group norms see the same input as in use, or of crops: of three, the one with most edges, to learn more per pixel.
    In the second half of the training all are whole."""

    def __init__(self, pools, times, only_whole):
        self.pools, self.times, self.only_whole = pools, times, only_whole

    def __getitem__(self, step):
        rng = np.random.default_rng(step)
        return batch(self.pools, rng, self.only_whole or rng.random() < 0.4, self.times)


def batch(pools, rng, whole, times):
    """Bytes [count, height, width, 3] and the weight of each row [count, 1, height, 1]."""
    images = pools[rng.integers(len(pools))]
    large = images.shape[1] * images.shape[2] > 2 * 128 * 128
    chosen = rng.integers(0, len(images) - 100, times * ((1 if large else WHOLE) if whole else CROPS))
    if whole:
        parts = [(images[i], 0) for i in chosen]
    else:
        parts = [max((crop(images[i], rng) for _ in range(3)), key=lambda part: edginess(part[0])) for i in chosen]
    badges = BADGE_ROWS * min(images.shape[1:3]) // 128
    weight = torch.stack([torch.where(torch.arange(top, top + len(part)) < badges, BADGE_WEIGHT, 1.0) for part, top in parts])
    return torch.from_numpy(np.stack([part for part, _ in parts])), weight[:, None, :, None]


def crop(image, rng):
    y, x = (rng.integers(0, (length - CROP) // 8 + 1) * 8 for length in image.shape[:2])
    return image[y:y + CROP, x:x + CROP], y


def edginess(image):
    return np.abs(np.diff(image[::2, ::2, 1].astype(np.int16), axis=1)).sum()


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--minutes", type=float, default=25)
    arguments.add_argument("--start", type=pathlib.Path, help="a checkpoint to start from, instead of random weights")
    arguments.add_argument("--decoder-only", action="store_true", help="keep the encoder unchanged, so that latents stay valid")
    arguments.add_argument("--adversarial", type=float, default=0, help="share of a discriminator in the decoder's loss, for sharp edges; 0 for none")
    arguments.add_argument("--times", type=int, default=32 if DEVICE.type == "cuda" else 1, help="how many times as many images a step has, for a GPU")
    options = arguments.parse_args()
    lock = alone(options.folder)  # noqa: F841, locked until the process ends
    torch.manual_seed(0)
    pools = [pool(options.folder, size)[0] for size in [(128, 128), *SMALL, *(LARGE if options.decoder_only or options.start else ())]]
    begin = shapes.autoencoder(0) if options.start is None else shapes.trained(options.start / "vae")
    weights = {name: value.contiguous(memory_format=torch.channels_last) if value.dim() == 4 else value for name, value in begin.items()}
    kernels = lambda name, value: value.dim() == 4 and "resnets" in name and value.shape[-1] == 3
    discriminator = Discriminator() if options.adversarial else None
    trainer = Trainer(weights, kernels, options.folder / "autoencoder.pt", rate=2e-3, muon_rate=2e-3, decay=0.998)
    # Both stages share the clock of one state, so each notes when it began.
    begun = options.folder / ("autoencoder-decoder-from.txt" if options.decoder_only else "autoencoder-from.txt")
    if not begun.exists():
        if options.decoder_only:
            trainer.settle()
            trainer.save()
        begun.write_text(str(trainer.seconds))
    start, limit = float(begun.read_text()), options.minutes * 60
    for half in (0.5, 1):
        for parts in ahead(Steps(pools, options.times, half == 1), trainer.step):
            progress = (trainer.seconds - start) / limit
            if progress >= half:
                break
            update(trainer, options, progress, discriminator, *(part.to(DEVICE, non_blocking=True) for part in parts))
            trainer.save_sometimes()
    if not options.decoder_only:
        level(trainer, options.folder)
    trainer.save()
    report(trainer.average.weights, options.folder)


def update(trainer, options, progress, discriminator, pixels, weight):
    """One step."""
    weights, true = trainer.weights, tensor(pixels)
    with autocast():
        with torch.set_grad_enabled(not options.decoder_only):
            mean, log_variance = (part.float() for part in networks.encode(weights, shapes.AUTOENCODER, true))
        # Half of them get slightly more noise than the encoder predicts, since the flow does not reach latents exactly either; more noise would cause blur.
        noise, shape = torch.randn_like(mean), (len(true), 1, 1, 1)
        extra = (torch.rand(shape) * (torch.rand(shape) < 0.5) * 0.08).to(DEVICE) * mean.detach().std()
        drawn = networks.decode(weights, shapes.AUTOENCODER, latents(mean, log_variance, noise) + extra * torch.randn_like(mean))
    loss = near = distance(drawn, true, weight)
    if not options.decoder_only:
        loss = loss + DIVERGENCE * 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
    its_loss = None
    if discriminator is not None:
        its_loss = discriminator.learn(drawn, true)
        if progress > 0.05:  # it learns first
            loss = loss + discriminator.against(drawn, near, weights["decoder.conv_out.weight"], options.adversarial)
    scale = min(1, (trainer.step + 1) / 50) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * max(0.0, (progress - 0.2) / 0.8))))
    trainer.update(loss, scale * (1 if options.start is None else 0.5))
    if trainer.step % 50 == 0:
        print(f"autoencoder step {trainer.step} at {trainer.seconds / 60:.1f} min: distance {near.item():.4f}{'' if its_loss is None else f', discriminator {its_loss:.3f}'}", flush=True)


@torch.no_grad()
def level(trainer, folder):
    """Scales every channel of the latents to a deviation of one without changing the images, so that the flow's loss weighs all channels equally."""
    images = tensor(pool(folder, (128, 128))[0][:200])
    means = torch.cat([networks.encode(trainer.average.weights, shapes.AUTOENCODER, some)[0] for some in images.split(20)])
    factors = 1 / means.std((0, 2, 3))
    for weights in (trainer.weights, trainer.average.weights):
        for name in ("encoder.conv_out.weight", "encoder.conv_out.bias"):
            means, log_variances = weights[name].chunk(2)
            means.mul_(factors.view(-1, *[1] * (means.dim() - 1)))
        log_variances.add_(2 * factors.log())
        weights["decoder.conv_in.weight"].div_(factors.view(-1, 1, 1))


@torch.no_grad()
def report(weights, folder):
    for size in SMALL:
        true = tensor(pool(folder, size)[0][-64:])
        mean, log_variance = networks.encode(weights, shapes.AUTOENCODER, true)
        drawn = networks.decode(weights, shapes.AUTOENCODER, mean).clamp(-1, 1)
        rough = networks.decode(weights, shapes.AUTOENCODER, mean + 0.15 * mean.std() * torch.randn_like(mean)).clamp(-1, 1)
        signal, rough_signal = ((-10 * ((x - true) / 2).square().mean((1, 2, 3)).log10()).mean().item() for x in (drawn, rough))
        print(f"autoencoder {size}: PSNR {signal:.1f} dB, {rough_signal:.1f} dB with a noise of 0.15; latents' mean {mean.mean():.3f}, deviation {mean.std():.3f}, "
              f"by channel {[round(x, 2) for x in mean.std((0, 2, 3)).tolist()]}, posterior {torch.exp(0.5 * log_variance).mean():.3f}", flush=True)
        rows = [torch.cat(list(x[:8]), 2) for x in (true, drawn, rough)]
        Image.fromarray(((torch.cat(rows, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).cpu().numpy()).save(folder / f"autoencoder-{size[0]}.png")


if __name__ == "__main__":
    main()
