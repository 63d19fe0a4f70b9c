"""Writes the trained networks as a checkpoint in diffusers' layout: float16 safetensors and configurations."""

import argparse
import json
import math
import pathlib
import shutil

import torch
from safetensors.torch import save_file

import flow as flows
import shapes
from flow import scaling
from prompts import CHECKPOINT

SCHEDULER = {
    "_class_name": "FlowMatchEulerDiscreteScheduler", "num_train_timesteps": 1000, "shift": 1.0, "use_dynamic_shifting": True,
    "base_image_seq_len": 64, "max_image_seq_len": 256, "base_shift": 0.0, "max_shift": math.log(2), "time_shift_type": "exponential",
    "shift_terminal": None, "invert_sigmas": False, "stochastic_sampling": False, "use_beta_sigmas": False,
    "use_exponential_sigmas": False, "use_karras_sigmas": False,
}


def write(folder, config_name, config, weights):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / config_name).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    if weights:
        name = "diffusion_pytorch_model" if "_class_name" in config else "model"
        save_file({key: value.detach().half().cpu().contiguous() for key, value in weights.items()}, folder / f"{name}.safetensors", {"format": "pt"})


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--start", type=pathlib.Path, help="the checkpoint that the training started from, whose autoencoder is kept if none was trained")
    arguments.add_argument("--to", type=pathlib.Path, default=CHECKPOINT)
    options = arguments.parse_args()
    flow = torch.load(options.folder / "flow.pt", "cpu", weights_only=True)["average"]
    if options.to != CHECKPOINT:
        shutil.copytree(CHECKPOINT, options.to, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.safetensors", "README.md"))
    shutil.copytree(options.folder / "tokenizer_2", options.to / "tokenizer_2", dirs_exist_ok=True)
    part = lambda prefix: {name[len(prefix):]: value for name, value in flow.items() if name.startswith(prefix)}
    shift, scale = scaling(options.folder, options.start)
    autoencoder = flows.autoencoder(options.folder, options.start)
    write(options.to / "transformer", "config.json", shapes.TRANSFORMER, part("transformer."))
    write(options.to / "vae", "config.json", shapes.AUTOENCODER | {"shift_factor": shift, "scaling_factor": scale}, autoencoder)
    write(options.to / "text_encoder", "config.json", shapes.CLIP, part("text_encoder."))
    write(options.to / "text_encoder_2", "config.json", shapes.T5, part("text_encoder_2."))
    write(options.to / "scheduler", "scheduler_config.json", SCHEDULER, None)
    bytes = sum(path.stat().st_size for path in options.to.rglob("*") if path.is_file())
    print(f"{options.to.name}: {sum(value.numel() for value in (flow | autoencoder).values()) / 1e6:.2f} M parameters, {bytes / 1e6:.1f} MB in all")


if __name__ == "__main__":
    main()
