"""The network texts against what diffusers computed with the checkpoints of src/test/resources/reference."""

import json
import pathlib

import safetensors.torch
import torch

import torchscript
from random_weights import STACK

REFERENCE = pathlib.Path(__file__).resolve().parents[2] / "src/test/resources/reference"


class Recording:
    """The first case of a checkpoint: recorded tensors, and weights, on a device in a type."""

    def __init__(self, model, device, dtype):
        self.directory, self.device, self.dtype = REFERENCE / model, device, dtype
        self.case = json.loads((self.directory / "cases.json").read_text(encoding="utf-8"))["cases"][0]
        self.tensors = safetensors.torch.load_file(self.directory / "cases.safetensors")

    def recorded(self, name):
        return self.tensors[f"{self.case['name']}/{self.case['aliases'].get(name, name)}"]

    def tensor(self, name):
        """A recorded tensor as an input."""
        x = self.recorded(name).to(self.device)
        return x.to(self.dtype) if x.is_floating_point() else x

    def config(self, component):
        return json.loads((self.directory / "checkpoint" / component / "config.json").read_text(encoding="utf-8"))

    def weights(self, component):
        (file,) = (self.directory / "checkpoint" / component).glob("*.safetensors")
        return {name: x.to(self.device, self.dtype) for name, x in safetensors.torch.load_file(file).items()}

    def transformer(self, *stacks):
        """Weights, their stacks of blocks, and the config."""
        config, w = self.config("transformer"), self.weights("transformer")
        return w, [STACK.stack(w, stack, config[count]) for stack, count in stacks], config


FLUX_STACKS = ("transformer_blocks", "num_layers"), ("single_transformer_blocks", "num_single_layers")


def grid(recording):
    """Rows and columns of image tokens of the case."""
    height, width = recording.recorded("image").shape[2:]
    return height // 16, width // 16


def flux(recording):
    w, (blocks, singles), config = recording.transformer(*FLUX_STACKS)
    network, context = torchscript.load("flux", "FluxTransformer2DModel"), recording.tensor("te.text_encoder_2.0.last_hidden_state")
    rope = network.rope(context.size(1), *grid(recording), config["axes_dims_rope"], recording.device)
    # In 16 bits, 1000 times the guidance is rounded, in diffusers too, which changes the output by half.
    guidance = torch.full((1,), recording.case["args"].get("guidance_scale", 3.5), device=recording.device)
    times, pooled = recording.recorded("timesteps").to(recording.device), recording.tensor("te.text_encoder.0.pooler_output")
    conditions, heads = network.conditions(w, blocks, singles, times, pooled, guidance), config["num_attention_heads"]
    txt, latents = network.text_tokens(w, context), recording.tensor("latents_init")
    return network.forward(w, blocks, singles, latents, txt, conditions, 0, rope, heads), recording.recorded("tr.0.out")


def flux2(recording):
    w, (blocks, singles), config = recording.transformer(*FLUX_STACKS)
    network = torchscript.load("flux2", "Flux2Transformer2DModel")
    context = torch.cat([recording.tensor(f"te.text_encoder.0.hidden_states.{state}") for state in (9, 18, 27)], -1)
    rope = network.rope(context.size(1), *grid(recording), config["axes_dims_rope"], config["rope_theta"], recording.device)
    latents, time = network.tokens(recording.tensor("latents_init")), recording.recorded("timesteps")[0].item()
    sinusoids, heads = config["timestep_guidance_channels"], config["num_attention_heads"]
    return network.forward(w, blocks, singles, latents, context, time, sinusoids, rope, heads), recording.recorded("tr.0.out")


def sd3(recording):
    w, (blocks,), config = recording.transformer(FLUX_STACKS[0])
    network = torchscript.load("stable_diffusion_3", "SD3Transformer2DModel")
    sides = []
    for call in (1, 0):  # the negative prompt first
        hidden = [recording.tensor(f"te.text_encoder{number}.{call}.hidden_states.-2") for number in ("", "_2")]
        pooled = [recording.tensor(f"te.text_encoder{number}.{call}.text_embeds") for number in ("", "_2")]
        t5 = recording.tensor(f"te.text_encoder_3.{call}.last_hidden_state")
        sides.append((network.context(*hidden, t5), network.pooled(*pooled)))
    context, pooled = (torch.cat(parts) for parts in zip(*sides))
    latents, time = recording.tensor("latents_init").repeat(2, 1, 1, 1), recording.recorded("timesteps")[0].item()
    patch, side, heads = config["patch_size"], config["pos_embed_max_size"], config["num_attention_heads"]
    return network.forward(w, blocks, latents, context, pooled, time, patch, side, heads), recording.recorded("tr.0.out")


def qwen_image(recording):
    w, (blocks,), config = recording.transformer(FLUX_STACKS[0])
    network, template = torchscript.load("qwen_image", "QwenImageTransformer2DModel"), 34
    states = recording.tensor("te.text_encoder.0.hidden_states.-1")
    lengths = [states.size(1) - template]
    context = network.context(states, template, lengths)
    rope = network.rope(lengths[0], *grid(recording), config["axes_dims_rope"], recording.device)
    latents, time = recording.tensor("latents_init"), recording.recorded("timesteps")[0].item()
    return network.forward(w, blocks, latents, context, lengths, time, rope, config["num_attention_heads"]), recording.recorded("tr.0.out")


def z_image(recording):
    stacks = ("context_refiner", "n_refiner_layers"), ("noise_refiner", "n_refiner_layers"), ("layers", "n_layers")
    w, (context_refiner, refiner, layers), config = recording.transformer(*stacks)
    network = torchscript.load("z_image", "ZImageTransformer2DModel")
    ids, states = recording.recorded("tok.tokenizer.0.input_ids"), recording.tensor("te.text_encoder.0.hidden_states.-2")
    lengths = [int((ids[0] != ids[0, -1]).sum())]  # the rest is padding
    widths, theta, heads, eps = config["axes_dims"], config["rope_theta"], config["n_heads"], config["norm_eps"]
    captions = network.captions(w, context_refiner, states, lengths, widths, theta, heads, eps)
    rope = network.rope(lengths, *grid(recording), widths, theta, recording.device)
    latents, time = recording.tensor("latents_init"), recording.recorded("timesteps")[0].item()
    out = network.forward(w, refiner, layers, latents, captions, lengths, rope, time, config["t_scale"], heads, eps)
    return network.part(out, 0), recording.recorded("tr.0.out.0")


def autoencoder(recording):
    w, config = recording.weights("vae"), recording.config("vae")
    network = torchscript.load("autoencoder_kl", "AutoencoderKL")
    levels, resnets, groups = len(config["block_out_channels"]), config["layers_per_block"] + 1, config["norm_num_groups"]
    return network.decode(w, recording.tensor("vae_in"), levels, resnets, groups), recording.recorded("vae_out")


def t5(recording):
    w, config = recording.weights("text_encoder_2"), recording.config("text_encoder_2")
    network, blocks = torchscript.load("t5", "T5EncoderModel"), STACK.stack(w, "encoder.block", config["num_layers"])
    ids = recording.tensor("tok.tokenizer_2.0.input_ids")
    bias = network.bias(blocks, ids.size(1), config["relative_attention_num_buckets"], config["relative_attention_max_distance"])
    out = network.forward(w, blocks, ids, bias, config["num_heads"], config["dense_act_fn"], config["layer_norm_epsilon"])
    return out, recording.recorded("te.text_encoder_2.0.last_hidden_state")


def clip(recording):
    config = recording.config("text_encoder")
    w = {name.removeprefix("text_model."): x for name, x in recording.weights("text_encoder").items()}
    network, layers = torchscript.load("clip", "CLIPTextModel"), STACK.stack(w, "encoder.layers", config["num_hidden_layers"])
    settings = config["num_attention_heads"], config["hidden_act"], config["layer_norm_eps"]
    penultimate = network.penultimate(w, layers, recording.tensor("tok.tokenizer.0.input_ids"), *settings)
    return network.last(w, layers, penultimate, *settings), recording.recorded("te.text_encoder.0.last_hidden_state")


CASES = [
    ("flux-schnell", flux),
    ("flux-dev", flux),
    ("flux2-klein", flux2),
    ("sd3", sd3),
    ("sd35", sd3),
    ("qwenimage", qwen_image),
    ("zimage", z_image),
    ("flux-dev", autoencoder),
    ("flux-dev", t5),
    ("flux-dev", clip),
]


def noise(device):
    """Whether the product's noise is what diffusers drew, by the seed of each case; None for what was not recorded."""
    network, equal = torchscript.load("flow", "Flow"), []
    for model in ("flux-dev", "flux-schnell"):
        tensors = safetensors.torch.load_file(REFERENCE / model / "cases.safetensors")
        for case in json.loads((REFERENCE / model / "cases.json").read_text(encoding="utf-8"))["cases"]:
            drawn = tensors.get(f"{case['name']}/noise")
            if drawn is not None and drawn.size(0) == 1:
                made = network.noise(network.generator("cpu", case["latent_seed"]), list(drawn.shape), 6)
                equal.append(torch.equal(made.to(device).cpu(), drawn))
    return all(equal) and bool(equal)
