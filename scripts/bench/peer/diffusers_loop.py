"""A loop over a prompt table with diffusers: images and a manifest with their hashes.

Prints one line of JSON: images, and the seconds of start (imports and weights), warm-up (compilation) and drawing.
"""

import argparse
import hashlib
import itertools
import json
import pathlib
import time

import table


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint")
    parser.add_argument("table")
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--tokens", type=int, required=True, help="tokens that prompts are padded to")
    parser.add_argument("--compile", action="store_true", help="compile transformer and decoder, and warm them up")
    options = parser.parse_args()

    begin = time.perf_counter()
    pipeline = table.load(options.checkpoint, options.threads)
    rows = sorted(table.rows(options.table), key=table.shape)
    loaded = time.perf_counter()
    if options.compile:
        compile_networks(pipeline)
        for _, group in itertools.groupby(rows, key=table.shape):
            first = next(group)
            for _ in range(2):  # the first call compiles; the second still builds caches
                table.draw(pipeline, [first] * options.batch, options.tokens)
    warm = time.perf_counter()

    options.output.mkdir(parents=True, exist_ok=True)
    manifest = []
    for _, group in itertools.groupby(rows, key=table.shape):
        group = list(group)
        for i in range(0, len(group), options.batch):
            batch = group[i : i + options.batch]
            for row, image in zip(batch, table.draw(pipeline, batch, options.tokens)):
                path = options.output / f"{row['id']}.png"
                image.save(path)
                manifest.append({**row, "path": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()})
    (options.output / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    table.report(len(manifest), loaded - begin, warm - loaded, time.perf_counter() - warm)


def compile_networks(pipeline):
    import torch

    pipeline.transformer = torch.compile(pipeline.transformer)
    pipeline.vae.decode = torch.compile(pipeline.vae.decode)


if __name__ == "__main__":
    main()
