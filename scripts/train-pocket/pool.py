"""Pools of rendered images on disk, created once and read by every stage. A stopped rendering continues where it was."""

import argparse
import os
import pathlib
import random
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import torch

from catalogue import Scene, scene
from render import render
from training import DEVICE

# Number of images of each size (width, height). The areas of a group are similar, and so are its costs.
SMALL = {(128, 128): 16_000, (160, 96): 10_000, (96, 160): 10_000}
MEDIUM = {(192, 128): 4_000, (128, 192): 4_000, (192, 192): 4_000}
LARGE = {(256, 256): 8_000, (320, 192): 4_000, (192, 320): 4_000}
GROUPS = {"small": SMALL, "medium": MEDIUM, "large": LARGE}
# For the judge: images of all combinations, with badges of random colours, so that it learns letters.
JUDGED, JUDGED_SEED, CHUNK = {(128, 128): 8_000, (160, 96): 4_000, (96, 160): 4_000}, 4 * 10**6, 500


def rendered(task):
    width, height, seed, judged = task
    rng = random.Random(seed)
    drawn = scene(rng, held=None if judged else False)
    return render(drawn, width, height, seed, badge_colours=judged), drawn


def pool(folder, size, judged=False):
    """The images [count, height, width, 3] of one size and their scenes."""
    width, height = size
    name = f"{'judged' if judged else 'pool'}-{width}x{height}"
    path, scenes_path = folder / f"{name}.npy", folder / f"{name}.txt"
    count, seed = (JUDGED[size], JUDGED_SEED) if judged else ((SMALL | MEDIUM | LARGE)[size], 0)
    count = max(200, round(count * float(os.environ.get("POOL_SHARE", 1))))  # a smaller pool, to test the scripts
    lines = scenes_path.read_text().splitlines() if scenes_path.exists() else []
    if len(lines) < count:
        folder.mkdir(parents=True, exist_ok=True)
        images = np.lib.format.open_memmap(path, "r+" if lines else "w+", np.uint8, (count, height, width, 3))
        with ProcessPoolExecutor() as workers:
            while len(lines) < count:
                start, stop = len(lines), min(count, len(lines) + CHUNK)
                for i, (image, drawn) in enumerate(workers.map(rendered, ((width, height, seed + i, judged) for i in range(start, stop)), chunksize=50), start):
                    images[i] = image
                    lines.append("\t".join(vars(drawn).values()))
                images.flush()
                partial = scenes_path.with_suffix(".partial")
                partial.write_text("\n".join(lines) + "\n")
                partial.replace(scenes_path)
    return np.load(path, mmap_mode="r"), [Scene(*line.split("\t")) for line in lines]


def tensor(images):
    """Bytes [count, height, width, 3] -> [count, 3, height, width] in [-1, 1], on the device of the training."""
    pixels = images if isinstance(images, torch.Tensor) else torch.from_numpy(np.array(images))
    return (pixels.to(DEVICE, non_blocking=True).permute(0, 3, 1, 2).float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("group", choices=[*GROUPS, "judged"])
    options = arguments.parse_args()
    for size in JUDGED if options.group == "judged" else GROUPS[options.group]:
        print(size, pool(options.folder, size, options.group == "judged")[0].shape, flush=True)


if __name__ == "__main__":
    main()
