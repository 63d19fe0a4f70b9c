"""Trains the text encoders to predict all attributes of a scene from its captions, before the flow is trained.

Encoders of a checkpoint that can already draw keep their meaning: for captions in the words that it knows, their outputs stay near to those before."""

import argparse
import pathlib
import random
import shutil

import torch
import torch.nn.functional as F

import networks
import shapes
import vocabulary
from captions import caption, known
from catalogue import ATTRIBUTES, scene
from prompts import CHECKPOINT, Prompts
from training import DEVICE, Trainer, alone

# FLUX attends to padding, so every supported text length is trained; the default of the model card most.
TEXT_TOKENS, TEXT_SHARE = (32, 48, 64, 96, 128, 192, 256), (40, 18, 32, 3, 3, 2, 2)
EMPTY_SHARE = 0.08  # the share of empty prompts, away from which guidance leads
CLOSE_SHARE = 0.1  # the share of prompts whose commas have no space behind them, which changes the pieces of the word that follows
PARTS = ("text_encoder", "text_encoder_2")


def conditions(weights, clip_ids, t5_ids):
    return (networks.pooled(networks.below(weights, "text_encoder."), shapes.CLIP, clip_ids),
            networks.context(networks.below(weights, "text_encoder_2."), shapes.T5, t5_ids))


def asked(scenes, tokens, prompts, rng):
    """Captions that fit, as token ids for both encoders."""
    texts = []
    for drawn in scenes:
        text = caption(drawn, rng)
        while len(prompts.t5.encode(text).ids) > tokens:
            text = caption(drawn, rng)
        if rng.random() < CLOSE_SHARE:
            text = text.replace(", ", ",")
        texts.append("" if rng.random() < EMPTY_SHARE else text)
    return prompts.ids(texts, tokens)


def encoders(start, folder):
    """Initial weights of both encoders; with a checkpoint, its weights, with embeddings for the pieces that its vocabulary lacks."""
    source = CHECKPOINT if start is None else start
    if not (folder / "tokenizer_2").exists():
        vocabulary.extend(source / "tokenizer_2", folder / "tokenizer_2.partial")
        (folder / "tokenizer_2.partial").rename(folder / "tokenizer_2")
    if start is None:
        return {f"text_encoder.{name}": value for name, value in shapes.clip(2).items()} | {f"text_encoder_2.{name}": value for name, value in shapes.t5(3).items()}
    weights = {f"{part}.{name}": value for part in PARTS for name, value in shapes.trained(start / part).items()}
    vocabulary.embed(weights["text_encoder_2.shared.weight"], vocabulary.added(start / "tokenizer_2", folder / "tokenizer_2"))
    return weights


def keep(start, folder):
    """Takes the text encoders and the vocabulary of a checkpoint as they are."""
    shutil.copytree(start / "tokenizer_2", folder / "tokenizer_2", dirs_exist_ok=True)
    torch.save({f"{part}.{name}": value for part in PARTS for name, value in shapes.trained(start / part).items()}, folder / "text.pt")


def cross_entropy(heads, states, truth):
    sizes = [len(values) for values in ATTRIBUTES.values()]
    return sum(F.cross_entropy(logits, truth[:, i]) for i, logits in enumerate(F.linear(states, heads).split(sizes, 1))) / len(sizes)


def train(options):
    weights = encoders(options.start, options.folder)
    prompts, before, teacher = Prompts(options.folder), None, None
    if options.start is not None:
        before, teacher = Prompts(options.start), {name: value.to(DEVICE, copy=True) for part in PARTS for name, value in
                                                   ((f"{part}.{name}", value) for name, value in shapes.trained(options.start / part).items())}
    torch.manual_seed(5)
    count = sum(map(len, ATTRIBUTES.values()))
    heads = {"head": torch.randn(count, 96) * 0.1, "head_2": torch.randn(count, 128) * 0.1}
    trainer = Trainer(weights | heads, lambda name, value: False, options.folder / "text-state.pt", rate=2e-3)
    weights, limit = trainer.weights, 60 * options.minutes
    while (progress := trainer.seconds / limit) < 1:
        rng = random.Random(f"text {trainer.step}")
        scenes = [scene(rng) for _ in range(64)]
        tokens = rng.choices(TEXT_TOKENS, TEXT_SHARE)[0]
        clip_ids, t5_ids = (ids.to(DEVICE) for ids in asked(scenes, tokens, prompts, rng))
        truth, said = torch.tensor([drawn.labels() for drawn in scenes], device=DEVICE), t5_ids.ne(0).sum(1).gt(1)
        pooled, context = conditions(weights, clip_ids, t5_ids)
        mask = t5_ids.ne(0).float()[..., None]
        mean = (context * mask).sum(1) / mask.sum(1)
        if teacher is not None and trainer.step < 150:  # the heads alone first, so that they do not disturb the encoders
            pooled, mean = pooled.detach(), mean.detach()
        loss = cross_entropy(weights["head"], pooled[said], truth[said]) + cross_entropy(weights["head_2"], mean[said], truth[said])
        right = (F.linear(mean, weights["head_2"])[said, -len(ATTRIBUTES["label"]):].argmax(1) == truth[said, -1]).float().mean().item()
        if teacher is not None and trainer.step >= 150:
            chosen = [i for i, drawn in enumerate(scenes) if said[i] and known(drawn)]
            ids = [ids.to(DEVICE) for ids in before.ids([known(scenes[i]) for i in chosen], 32)]
            with torch.no_grad():
                pooled_then, context_then = conditions(teacher, *ids)
            pooled_now, context_now = conditions(weights, *ids)
            near = lambda now, then: F.mse_loss(now, then) / then.var()
            loss = loss + near(pooled[chosen], pooled_then) + near(pooled_now, pooled_then) + 2 * near(context_now, context_then)
        rate = 1 if options.start is None or trainer.step < 150 else 0.7
        trainer.update(loss, rate * (min(1, (trainer.step + 1) / 50) * (1 - progress) + 0.01))
        if trainer.step % 50 == 0:
            print(f"text step {trainer.step} at {trainer.seconds / 60:.1f} min: loss {loss.item():.4f}, labels read in {100 * right:.0f} %", flush=True)
            trainer.save()
    torch.save({name: value.detach() for name, value in weights.items() if not name.startswith("head")}, options.folder / "text.pt")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--minutes", type=float, default=3)
    arguments.add_argument("--start", type=pathlib.Path, help="a checkpoint to start from, instead of random weights")
    options = arguments.parse_args()
    lock = alone(options.folder)  # noqa: F841, locked until the process ends
    train(options)


if __name__ == "__main__":
    main()
