"""The judge: a classifier that reads all attributes of an image, trained on renders alone, never on generated images.

It is trained on all combinations, including those that are held out from the flow, so that its errors on those are errors of the images. Badges of its
training images have random colours, so that it reads their letters. It reads every image at the area of 128×128 pixels."""

import argparse
import math
import pathlib
import random

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from catalogue import ATTRIBUTES, LAYOUT, READ, scene
from pool import JUDGED, pool, tensor
from render import render
from training import DEVICE, autocast, clock

AREA, WEIGHTS = 128 * 128, {"position": 0.5, "size": 0.5, "finish": 0.2}  # the other attributes have a weight of 1


class Judge(nn.Module):
    """Images of any size in [-1, 1] -> logits of each attribute, and the features for the Fréchet distance."""

    def __init__(self, width=32):
        super().__init__()
        channels, layers = (3, width, 2 * width, 3 * width, 4 * width), []
        for i, (inputs, outputs) in enumerate(zip(channels, channels[1:])):
            layers.append(nn.Sequential(*self.layer(inputs, outputs, 2), *(self.layer(outputs, outputs, 1) if i else [])))
        self.fine, self.coarse = nn.Sequential(*layers[:-1]), layers[-1]
        self.hidden = nn.Linear(16 * channels[-1], 192)
        self.out = nn.Linear(192, sum(len(values) for name, values in ATTRIBUTES.items() if name != "label"))
        letters, layers = (3, 24, 48, 64, 96, 96, 96), []
        for inputs, outputs, stride in zip(letters, letters[1:], (2, 2, 1, 2, 1, 1)):
            layers += self.layer(inputs, outputs, stride)
        self.words = nn.Sequential(*layers)  # each position sees about 70 pixels, the width of a badge
        self.label = nn.Linear(letters[-1], len(ATTRIBUTES["label"]))

    @staticmethod
    def layer(inputs, outputs, stride):
        return [nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]

    def features(self, images):
        return self.wide(self.fine(near(images.to(DEVICE))))

    def wide(self, x):
        return F.relu(self.hidden(F.adaptive_avg_pool2d(self.coarse(x), 4).flatten(1)))

    def forward(self, images):
        """The label is read from the upper three eighths of the image, wherever it is there."""
        images = near(images.to(DEVICE))
        word = self.words(images[:, :, :3 * images.shape[2] // 8]).amax((2, 3))
        label = self.label(F.dropout(word, 0.1, self.training))
        names = [name for name in ATTRIBUTES if name != "label"]
        rest = self.out(F.dropout(self.wide(self.fine(images)), 0.2, self.training)).split([len(ATTRIBUTES[name]) for name in names], 1)
        return [dict(zip(names, rest)).get(name, label) for name in ATTRIBUTES]

    @torch.no_grad()
    def right(self, images, scenes):
        """Whether each attribute of each image is read correctly: name -> booleans [images]. `all` are product, colour and background, `layout`
        position and size."""
        truth = torch.tensor([scene.labels() for scene in scenes])
        read = [torch.cat(parts) for parts in zip(*(self(images[i:i + 64]) for i in range(0, len(images), 64)))]
        found = {name: logits.argmax(1).cpu() == truth[:, i] for i, (name, logits) in enumerate(zip(ATTRIBUTES, read))}
        together = lambda names: torch.stack([found[name] for name in names]).all(0)
        return found | {"all": together(READ), "layout": together(LAYOUT)}


def near(images):
    """Images of another area, scaled to about that of 128×128 pixels."""
    scale = math.sqrt(AREA / (images.shape[-1] * images.shape[-2]))
    if 0.9 < scale < 1.1:
        return images
    size = [round(length * scale) for length in images.shape[-2:]]
    return F.interpolate(images, size, mode="bilinear", antialias=True, align_corners=False)


def load(folder):
    judge = Judge()
    judge.load_state_dict(torch.load(folder / "judge.pt", "cpu", weights_only=True))
    return judge.eval().to(DEVICE)


def disturb(images, rng):
    """Augmentation with properties of generated images that renders lack: blur, noise, a shift of a few pixels; and other aspect ratios."""
    kind = rng.random()
    if kind < 0.25:
        images = F.avg_pool2d(F.pad(images, (1, 1, 1, 1), mode="replicate"), 3, 1)
    elif kind < 0.35:
        images = F.interpolate(F.avg_pool2d(images, 2), scale_factor=2, mode="bilinear")
    elif kind < 0.6:
        size = [round(length * rng.uniform(0.93, 1.07)) for length in images.shape[-2:]]
        images = F.interpolate(images, size, mode="bilinear", antialias=True, align_corners=False)
    if rng.random() < 0.5:
        images = images + torch.randn_like(images) * rng.uniform(0, 0.08)
    return torch.roll(images, (rng.randint(-4, 4), rng.randint(-4, 4)), (2, 3))


class Training:
    """The judge, its optimiser and its clock, with a state on disk from which a stopped training resumes."""

    def __init__(self, folder, rate):
        self.path, self.judge, self.step, self.seconds, self.mark = folder / "judge-state.pt", Judge().to(DEVICE), 0, 0.0, clock()
        self.adam = torch.optim.AdamW(self.judge.parameters(), rate, weight_decay=0.02)
        if self.path.exists():
            state = torch.load(self.path, DEVICE, weights_only=True)
            self.judge.load_state_dict(state["judge"])
            self.adam.load_state_dict(state["adam"])
            self.step, self.seconds = state["step"], state["seconds"]
        self.judge.to(memory_format=torch.channels_last).train()

    def tick(self):
        now = clock()
        self.seconds, self.mark, self.step = self.seconds + now - self.mark, now, self.step + 1

    def save(self):
        partial = self.path.with_suffix(".partial")
        torch.save({"judge": self.judge.state_dict(), "adam": self.adam.state_dict(), "step": self.step, "seconds": self.seconds}, partial)
        partial.replace(self.path)


def train(options):
    torch.manual_seed(1)
    training = Training(options.folder, options.rate)
    pools = [pool(options.folder, size, judged=True) for size in JUDGED]
    labels = [torch.tensor([drawn.labels() for drawn in scenes], device=DEVICE) for _, scenes in pools]
    while (progress := training.seconds / (60 * options.minutes)) < 1:
        rng = random.Random(f"judge {training.step}")
        which = rng.choices(range(len(pools)), (2, 1, 1))[0]
        images = pools[which][0]
        chosen = sorted(rng.randrange(len(images)) for _ in range(64))
        with autocast():
            read = training.judge(disturb(tensor(images[chosen]), rng))
        loss = sum(WEIGHTS.get(name, 1) * F.cross_entropy(logits.float(), labels[which][chosen, i]) for i, (name, logits) in enumerate(zip(ATTRIBUTES, read)))
        for group in training.adam.param_groups:
            group["lr"] = options.rate * min(1, (training.step + 1) / 50) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))
        training.adam.zero_grad()
        loss.backward()
        training.adam.step()
        training.tick()
        if training.step % 20 == 0:
            print(f"judge step {training.step} at {training.seconds / 60:.1f} min: loss {loss.item():.4f}", flush=True)
            training.save()
    training.save()
    torch.save(training.judge.state_dict(), options.folder / "judge.pt")


def report(folder, count=300):
    judge = load(folder)
    for size in JUDGED:
        for held in (False, True):
            scenes = [scene(random.Random(10**6 + i), held) for i in range(count)]
            found = judge.right(tensor(np.stack([render(drawn, *size, 10**6 + i) for i, drawn in enumerate(scenes)])), scenes)
            print(f"judge of {count} new renders of {'held-out' if held else 'seen'} combinations, {size[0]}x{size[1]}: "
                  + ", ".join(f"{name} {right.float().mean():.4f}" for name, right in found.items()), flush=True)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--minutes", type=float, default=14, help="of the whole training, including earlier runs")
    arguments.add_argument("--rate", type=float, default=3e-3)
    options = arguments.parse_args()
    train(options)
    report(options.folder)


if __name__ == "__main__":
    main()
