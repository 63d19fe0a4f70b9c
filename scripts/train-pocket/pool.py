"""Pools of rendered pictures on disk, made once and read by every stage."""

import random
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import torch

from catalogue import Scene, scene
from render import render

# Pictures of each size (width, height); about the same area, so that they cost about the same.
SMALL = {(128, 128): 10_000, (160, 96): 5_000, (96, 160): 5_000}
LARGE = {(256, 256): 4_000, (320, 192): 2_000, (192, 320): 2_000}


def picture(task):
    width, height, seed = task
    drawn = scene(random.Random(seed))
    return render(drawn, width, height, seed), drawn


def pool(folder, size):
    """The pictures [count, height, width, 3] of one size and their scenes."""
    width, height = size
    path, scenes_path = folder / f"pool-{width}x{height}.npy", folder / f"pool-{width}x{height}.txt"
    count = (SMALL | LARGE)[size]
    if not scenes_path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        pictures, lines = np.lib.format.open_memmap(path, "w+", np.uint8, (count, height, width, 3)), []
        with ProcessPoolExecutor() as workers:
            for i, (image, drawn) in enumerate(workers.map(picture, ((width, height, i) for i in range(count)), chunksize=100)):
                pictures[i] = image
                lines.append("\t".join(vars(drawn).values()))
        pictures.flush()
        scenes_path.write_text("\n".join(lines) + "\n")
    return np.load(path, mmap_mode="r"), [Scene(*line.split("\t")) for line in scenes_path.read_text().splitlines()]


def tensor(pictures):
    """Bytes [count, height, width, 3] -> [count, 3, height, width] in [-1, 1]."""
    return (torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


if __name__ == "__main__":
    import pathlib
    import sys

    for size in SMALL | LARGE:
        print(size, pool(pathlib.Path(sys.argv[1]), size)[0].shape, flush=True)
