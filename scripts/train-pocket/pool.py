"""Pools of rendered images on disk, created once and read by every stage."""

import os
import random
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import torch

from catalogue import Scene, scene
from render import render

# Number of images of each size (width, height). The areas are similar, and so are the costs.
SMALL = {(128, 128): 30_000, (160, 96): 20_000, (96, 160): 20_000}
LARGE = {(256, 256): 4_000, (320, 192): 2_000, (192, 320): 2_000}
HELD, HELD_SEED = 3_000, 4 * 10**6  # of held-out combinations, of each small size, only for the judge


def rendered(task):
    width, height, seed, held = task
    drawn = scene(random.Random(seed), held)
    return render(drawn, width, height, seed), drawn


def pool(folder, size, held=False):
    """The images [count, height, width, 3] of one size and their scenes."""
    width, height = size
    name = f"{'held' if held else 'pool'}-{width}x{height}"
    path, scenes_path = folder / f"{name}.npy", folder / f"{name}.txt"
    count, seed = (HELD, HELD_SEED) if held else ((SMALL | LARGE)[size], 0)
    count = max(200, round(count * float(os.environ.get("POOL_SHARE", 1))))  # a smaller pool, to test the scripts
    if not scenes_path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        images, lines = np.lib.format.open_memmap(path, "w+", np.uint8, (count, height, width, 3)), []
        with ProcessPoolExecutor() as workers:
            for i, (image, drawn) in enumerate(workers.map(rendered, ((width, height, seed + i, held) for i in range(count)), chunksize=100)):
                images[i] = image
                lines.append("\t".join(vars(drawn).values()))
        images.flush()
        scenes_path.write_text("\n".join(lines) + "\n")
    return np.load(path, mmap_mode="r"), [Scene(*line.split("\t")) for line in scenes_path.read_text().splitlines()]


def tensor(images):
    """Bytes [count, height, width, 3] -> [count, 3, height, width] in [-1, 1]."""
    return (torch.from_numpy(np.array(images)).permute(0, 3, 1, 2).float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


if __name__ == "__main__":
    import pathlib
    import sys

    for size in SMALL:
        for held in (False, True):
            print(size, pool(pathlib.Path(sys.argv[1]), size, held)[0].shape, flush=True)
