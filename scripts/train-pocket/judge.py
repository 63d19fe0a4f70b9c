"""The judge: a classifier that reads product, colour and background, trained on renders alone, never on generated images.

It is trained on all combinations, including those that are held out from the flow, so that its errors on those are errors of the images."""

import argparse
import math
import pathlib
import random

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from catalogue import ATTRIBUTES, READ, scene
from pool import SMALL, pool, tensor
from render import render
from training import clock


class Judge(nn.Module):
    """Images of any size in [-1, 1] -> logits of each attribute, and the features for the Fréchet distance."""

    def __init__(self, width=32):
        super().__init__()
        channels, layers = (3, width, 2 * width, 3 * width, 4 * width), []
        for i, (inputs, outputs) in enumerate(zip(channels, channels[1:])):
            layers += self.layer(inputs, outputs, 2) + (self.layer(outputs, outputs, 1) if i else [])
        self.layers = nn.Sequential(*layers)
        self.hidden = nn.Linear(16 * channels[-1], 192)
        self.out = nn.Linear(192, sum(map(len, ATTRIBUTES.values())))

    @staticmethod
    def layer(inputs, outputs, stride):
        return [nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]

    def features(self, images):
        return F.relu(self.hidden(F.adaptive_avg_pool2d(self.layers(images), 4).flatten(1)))

    def forward(self, images):
        return self.out(F.dropout(self.features(images), 0.2, self.training)).split([len(values) for values in ATTRIBUTES.values()], 1)

    @torch.no_grad()
    def right(self, images, scenes):
        """Whether each attribute of each image is read correctly: name -> booleans [images]."""
        truth = torch.tensor([scene.labels() for scene in scenes])
        read = [torch.cat(parts) for parts in zip(*(self(images[i:i + 64]) for i in range(0, len(images), 64)))]
        found = {name: logits.argmax(1) == truth[:, i] for i, (name, logits) in enumerate(zip(ATTRIBUTES, read))}
        return found | {"all": torch.stack([found[name] for name in READ]).all(0)}


def load(folder):
    judge = Judge()
    judge.load_state_dict(torch.load(folder / "judge.pt", weights_only=True))
    return judge.eval()


def disturb(images, rng):
    """Augmentation with properties of generated images that renders lack: blur, noise, a shift of a few pixels."""
    kind = rng.random()
    if kind < 0.25:
        images = F.avg_pool2d(F.pad(images, (1, 1, 1, 1), mode="replicate"), 3, 1)
    elif kind < 0.4:
        images = F.interpolate(F.avg_pool2d(images, 2), scale_factor=2, mode="bilinear")
    if rng.random() < 0.5:
        images = images + torch.randn_like(images) * rng.uniform(0, 0.08)
    return torch.roll(images, (rng.randint(-4, 4), rng.randint(-4, 4)), (2, 3))


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--minutes", type=float, default=8)
    arguments.add_argument("--rate", type=float, default=3e-3)
    arguments.add_argument("--go-on", action="store_true", help="start from the judge in the folder")
    options = arguments.parse_args()
    torch.manual_seed(1)
    judge = load(options.folder).train() if options.go_on else Judge()
    rng, judge, start, step = random.Random(1), judge.to(memory_format=torch.channels_last), clock(), 0
    pools, shares = [pool(options.folder, size, held) for held in (False, True) for size in SMALL], (2, 3, 3, 1, 1, 1)
    labels = [torch.tensor([drawn.labels() for drawn in scenes]) for _, scenes in pools]
    adam = torch.optim.AdamW(judge.parameters(), options.rate, weight_decay=0.02)
    while (progress := (clock() - start) / (60 * options.minutes)) < 1:
        which = rng.choices(range(len(pools)), shares)[0]
        images = pools[which][0]
        chosen = [rng.randrange(len(images)) for _ in range(64)]
        with torch.autocast("cpu", torch.bfloat16):
            read = judge(disturb(tensor(images[chosen]), rng))
        loss = sum((1 if name in READ else 0.2) * F.cross_entropy(logits.float(), labels[which][chosen, i]) for i, (name, logits) in enumerate(zip(ATTRIBUTES, read)))
        for group in adam.param_groups:
            group["lr"] = options.rate * min(1, (step + 1) / 50) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))
        adam.zero_grad()
        loss.backward()
        adam.step()
        step += 1
        if step % 100 == 0:
            print(f"judge step {step} at {(clock() - start) / 60:.1f} min: loss {loss.item():.4f}", flush=True)
    torch.save(judge.state_dict(), options.folder / "judge.pt")
    judge, count = load(options.folder), 600
    for size in SMALL:
        for held in (False, True):
            scenes = [scene(random.Random(10**6 + i), held) for i in range(count)]
            found = judge.right(tensor(np.stack([render(drawn, *size, 10**6 + i) for i, drawn in enumerate(scenes)])), scenes)
            print(f"judge of {count} new renders of {'held-out' if held else 'seen'} combinations, {size[0]}x{size[1]}: "
                  + ", ".join(f"{name} {right.float().mean():.4f}" for name, right in found.items()), flush=True)


if __name__ == "__main__":
    main()
