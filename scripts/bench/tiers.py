"""Time and quality of the tiers and of each option that saves transformer calls, with the built-in checkpoint."""

import argparse
import csv
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

import numpy as np
import torch
from PIL import Image

HOME = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(HOME / "scripts/train-pocket"))

import evaluate
import judge as judges

SIZE = (128, 128)
VARIANTS = {
    "quality": "",
    "efficient": "--tier efficient",
    "sea, 0.3": "--step-cache sea",
    "sea, 0.6": "--step-cache sea --cache-threshold 0.6",
    "first-block, 0.08": "--step-cache first-block",
    "first-block, 0.2": "--step-cache first-block --cache-threshold 0.2",
    "mask": "--step-cache mask",
    "guidance interval 0-0.5": "--guidance-interval 0-0.5",
    "guidance cache from 0.5": "--guidance-cache-from 0.5",
    "joint guidance": "--joint-guidance",
}


def generate(options, variant, table, output):
    """One run; its record. The lock on the output and the start of Spark are outside the measured times."""
    command = [*options.lightmill.split(), "generate", "--input", table, "--output", output, "--run-id", "tiers", "--path-template", "{id}",
               "--num-inference-steps", options.steps, *VARIANTS.get(variant, variant).split(), *options.option]
    command += ["--true-cfg-scale", options.guidance]
    done = subprocess.run(list(map(str, command)), cwd=HOME, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} ended with status {done.returncode}:\n{done.stdout}")
    return json.loads((output / "runs/tiers.json").read_text())


def images(output, count):
    """Pixels [count, 3, height, width] in [-1, 1], as the judge reads them."""
    arrays = [np.asarray(Image.open(output / f"images/{i:05d}.png").convert("RGB")) for i in range(count)]
    return torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).float() / 127.5 - 1


def psnr(drawn, exact):
    """The mean over images in decibels; infinite where all images are equal."""
    errors = ((drawn - exact) / 2).square().flatten(1).mean(1)
    return float("inf") if not errors.any() else float((-10 * errors.clamp(min=1e-10).log10()).mean())


def measure(options, variants, work):
    scenes, prompts = evaluate.asked(options.images, False, 77)
    table = work / "prompts.csv"
    with table.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "prompt", "negative_prompt", "seed"])
        rows.writerows([f"{i:05d}", prompt, options.negative, i] for i, prompt in enumerate(prompts))
    records = {variant: [] for variant in variants}
    for number in range(options.rounds):
        for variant in variants:
            output = work / f"{number}-{len(variant)}-{abs(hash(variant))}"
            record = generate(options, variant, table, output)
            records[variant].append(record)
            if number == 0:
                records[variant][0]["output"] = output
            else:
                shutil.rmtree(output)
            print(f"round {number + 1}, {variant}: {record['images_per_second']:.2f} images/s", file=sys.stderr, flush=True)
    return scenes, records


def results(options, variants, scenes, records):
    judge = judges.load(options.judge)
    true = evaluate.features(judge, evaluate.renders(scenes, SIZE))
    exact = images(records["quality"][0]["output"], options.images)
    rows = []
    for variant in variants:
        of_variant = records[variant]
        drawn = images(of_variant[0]["output"], options.images)
        rows.append({
            "variant": variant,
            "options": VARIANTS.get(variant, variant),
            "calls": of_variant[0]["transformer_calls"] / options.images,
            "images_per_second": statistics.median(record["images_per_second"] for record in of_variant),
            "latency_ms": 1000 * statistics.median(record["seconds"]["engine"] for record in of_variant) / options.images,
            "all_right": 100 * judge.right(drawn, scenes)["all"].float().mean().item(),
            "frechet": evaluate.frechet(evaluate.features(judge, drawn), true),
            "edge_energy": evaluate.edge_energy(drawn) / evaluate.edge_energy(exact),
            "psnr": psnr(drawn, exact),
        })
    for row in rows:
        row["speedup"] = row["images_per_second"] / rows[0]["images_per_second"]
        row["latency_saved"] = 1 - row["latency_ms"] / rows[0]["latency_ms"]
        row["frechet_change"] = row["frechet"] / rows[0]["frechet"] - 1
    return rows


def table(rows):
    head = ("variant", "calls", "images/s", "speed", "ms an image", "latency", "all right", "Fréchet", "change", "edges", "PSNR")
    lines = [" | ".join(head), " | ".join("---" for _ in head)]
    for row in rows:
        lines.append(" | ".join((
            row["variant"], f"{row['calls']:.1f}", f"{row['images_per_second']:.2f}", f"{row['speedup']:.2f}×", f"{row['latency_ms']:.0f}",
            f"{-100 * row['latency_saved']:+.0f} %", f"{row['all_right']:.1f} %", f"{row['frechet']:.1f}", f"{100 * row['frechet_change']:+.0f} %",
            f"{row['edge_energy']:.2f}", f"{row['psnr']:.1f}")))
    return "\n".join(f"| {line} |" for line in lines)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--judge", type=pathlib.Path, required=True, help="folder of scripts/train-pocket that holds the judge")
    arguments.add_argument("--images", type=int, default=100)
    arguments.add_argument("--rounds", type=int, default=3, help="alternating runs of each variant; times are their medians")
    arguments.add_argument("--steps", type=int, default=28)
    arguments.add_argument("--guidance", type=float, default=2, help="true_cfg_scale")
    arguments.add_argument("--negative", default=" ", help="negative prompt; the checkpoint was trained with the empty one")
    arguments.add_argument("--variants", nargs="*", help="names of variants or options of their own, beside quality; all by default")
    arguments.add_argument("--json", type=pathlib.Path, default=HOME / "target/tiers.json")
    arguments.add_argument("--lightmill", default=os.environ.get("LIGHTMILL", str(HOME / "scripts/lightmill")))
    arguments.add_argument("option", nargs=argparse.REMAINDER, help="further options of generate, after --")
    options = arguments.parse_args()
    options.option = [each for each in options.option if each != "--"]
    names = list(VARIANTS) if options.variants is None else options.variants
    variants = ["quality", *(name for name in names if name != "quality")]
    with tempfile.TemporaryDirectory() as work:
        scenes, records = measure(options, variants, pathlib.Path(work))
        rows = results(options, variants, scenes, records)
    print(table(rows))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    settings = {key: value for key, value in vars(options).items() if isinstance(value, (int, float, str))}
    options.json.write_text(json.dumps({"settings": settings, "variants": rows}, indent=2) + "\n")
    print(f"written to {options.json}", file=sys.stderr)


if __name__ == "__main__":
    main()
