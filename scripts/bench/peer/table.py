"""The prompt table as the peers read it, and the figures that they print."""

import csv
import json


def rows(path):
    """The rows of a table: id, prompt, width, height, num_inference_steps, guidance_scale, seed."""
    with open(path, newline="", encoding="utf-8") as file:
        return [
            {
                "id": row["id"],
                "prompt": row["prompt"],
                "width": int(row["width"]),
                "height": int(row["height"]),
                "num_inference_steps": int(row["num_inference_steps"]),
                "guidance_scale": float(row["guidance_scale"]),
                "seed": int(row["seed"]),
            }
            for row in csv.DictReader(file)
        ]


def shape(row):
    """What all rows of one batch have in common."""
    return row["width"], row["height"], row["num_inference_steps"], row["guidance_scale"]


def draw(pipeline, batch, tokens):
    """The images of rows of one shape, each from its own seed."""
    import torch

    width, height, steps, guidance = shape(batch[0])
    return pipeline(
        [row["prompt"] for row in batch],
        width=width,
        height=height,
        num_inference_steps=steps,
        guidance_scale=guidance,
        generator=[torch.Generator("cpu").manual_seed(row["seed"]) for row in batch],
        max_sequence_length=tokens,
    ).images


def load(checkpoint, threads):
    """diffusers' pipeline of a checkpoint, in 32 bits on the CPU."""
    import torch
    from diffusers import DiffusionPipeline

    torch.set_num_threads(threads)
    pipeline = DiffusionPipeline.from_pretrained(checkpoint, torch_dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def report(images, start, warm_up, drawing):
    """Prints the figures, in seconds, as the last line of the output."""
    print(json.dumps({"images": images, "start": start, "warm_up": warm_up, "drawing": drawing}))
