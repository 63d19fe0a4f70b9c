"""Records what diffusers draws with the built-in checkpoint, as a reference for `lightmill verify`.

Usage: python scripts/reference/pocket.py OUTPUT DIFFUSERS_SOURCE [CHECKPOINT]
"""

import json
import pathlib
import sys

import torch
from safetensors.torch import save_file

HOME = pathlib.Path(__file__).resolve().parents[2]
SIZES = ((128, 128), (256, 256), (160, 96), (96, 160), (192, 128), (128, 192), (320, 192), (192, 320))
PROMPTS = (
    'a red mug on a wooden table with a "new" badge',
    "Small yellow watch on white",
    "Black handbag on night blue, with a label reading “–50%”",
    "teal backpack / left / grey background / «ECO»",
    "a pink vase on the right against a dark blue backdrop, tagged '2 for 1', studio photo, 8k",
    "GREEN T-SHIRT ON MARBLE!",
    "",
    "An orange chair in front of a gray gradient background. In the corner there is a badge with the word ‘VEGAN’. The lighting is soft and even. "
    "It is a professional product shot for an online shop, without people and without any other objects.",
)
LENGTHS = (64, 64, 32, 64, 128, 64, 64, 256)


def record(pipe, number):
    """One call: its arguments and its tensors."""
    prompt, (width, height), steps = PROMPTS[number % 8], SIZES[(number + number // 8) % 8], 8 if number % 3 else 4
    args = {"prompt": prompt, "width": width, "height": height, "num_inference_steps": steps, "max_sequence_length": LENGTHS[number % 8]}
    shape = (1, pipe.vae.config.latent_channels, height // 8, width // 8)
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(number))
    packed = pipe._pack_latents(noise, *shape)
    latents = {}

    def after(_, step, __, state):
        latents[f"latents.{step}"] = state["latents"].clone()
        return state

    image = pipe(**args, latents=packed, output_type="pt", callback_on_step_end=after).images
    tensors = {"noise": noise, "latents_init": packed, "sigmas": pipe.scheduler.sigmas, "latents_final": latents[f"latents.{steps - 1}"], "image": image}
    return args, {name: value.detach().float().contiguous().clone() for name, value in tensors.items()}


def main():
    output, source = pathlib.Path(sys.argv[1]), sys.argv[2]
    checkpoint = sys.argv[3] if len(sys.argv) > 3 else HOME / "pipeline/resources/models/pocket"
    sys.path.insert(0, source)
    import diffusers

    pipe = diffusers.FluxPipeline.from_pretrained(checkpoint, torch_dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    cases, tensors = [], {}
    for number in range(16):
        args, recorded = record(pipe, number)
        name = f"{number:02d}_{args['width']}x{args['height']}_{args['num_inference_steps']}"
        cases.append({"name": name, "latent_seed": number, "args": args,
                      "tensors": {key: {"dtype": "float32", "shape": list(value.shape)} for key, value in recorded.items()}})
        tensors |= {f"{name}/{key}": value for key, value in recorded.items()}
    output.mkdir(parents=True, exist_ok=True)
    save_file(tensors, output / "cases.safetensors")
    versions = {"torch": torch.__version__, "diffusers": diffusers.__version__}
    (output / "cases.json").write_text(json.dumps({"pipeline_class": "FluxPipeline", "versions": versions, "cases": cases}, indent=1))


if __name__ == "__main__":
    with torch.no_grad():
        main()
