"""Replaces the pieces of T5's vocabulary that no caption uses by frequent words, so that a long prompt fits into few tokens.

The number of pieces and the ids of all other pieces stay the same, so trained weights stay valid. The embedding of a new piece starts as the mean of
the pieces that it replaces in a text."""

import json
import math
import pathlib
import random
import re
import shutil
from collections import Counter

import torch
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Tokenizer

from captions import caption
from catalogue import scene

# Words of product descriptions beside those of the captions.
WORDS = """colour color size shape style look feel shot image picture camera lens focus view close up angle side top bottom front back light lights shadow
shadows dark deep bright pale warm cool soft hard smooth rough shiny texture surface material wood metal glass plastic fabric cloth silver gold brown
new old vintage retro fresh small big tiny huge tall short wide round square simple minimal luxury elegant sport summer winter spring autumn christmas
holiday gift store shop online web banner ad poster template brand logo text word letters reading saying written corner upper left right middle""".split()


def unused(pieces, counts):
    """Numbers and remains of prices that no caption uses."""
    return [i for i, piece in enumerate(pieces) if re.fullmatch(r"▁?[€\d.\-]{2,}", piece) and not counts[piece] and not re.fullmatch(r"▁\d\d?", piece)]


def extend(source, folder):
    """Writes the vocabulary of the folder `source`, with new pieces, to `folder`."""
    shutil.copytree(source, folder, dirs_exist_ok=True)
    old, rng = Tokenizer.from_file(str(source / "tokenizer.json")), random.Random(11)
    old.no_padding()
    old.no_truncation()
    texts, counts, words = [caption(scene(rng, held=None), rng) for _ in range(20_000)], Counter(), Counter()
    for text in texts:
        counts.update(old.encode(text).tokens)
        words.update(re.findall(r"[a-z]+", text.lower()))
    spelled = {word: old.encode(word, add_special_tokens=False) for word in [*words, *WORDS]}
    gain = lambda word: (len(spelled[word].ids) - 1) * (words[word] + (30 if word in WORDS else 0))
    model = json.loads((folder / "tokenizer.json").read_text())
    pieces = [piece for piece, _ in model["model"]["vocab"]]
    free = [i for i in unused(pieces, counts) if not pieces[i].startswith("<")]
    chosen = sorted((word for word in spelled if len(spelled[word].ids) > 1), key=lambda word: (-gain(word), word))[:len(free)]
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString((folder / "spiece.model").read_bytes())
    total = sum(words.values())
    for word in chosen:
        i = pieces.index(f"▁{word}") if f"▁{word}" in pieces else free.pop(0)  # a piece that was too unlikely
        score = round(math.log((words[word] + 30) / total), 4)
        model["model"]["vocab"][i] = [f"▁{word}", score]
        proto.pieces[i].piece, proto.pieces[i].score = f"▁{word}", score
    (folder / "tokenizer.json").write_text(json.dumps(model, ensure_ascii=False))
    (folder / "spiece.model").write_bytes(proto.SerializeToString())


def added(source, folder):
    """The ids of the pieces that `folder` has and `source` lacks or uses too rarely, and the ids that spell each in `source`."""
    old = Tokenizer.from_file(str(source / "tokenizer.json"))
    old.no_padding()
    old.no_truncation()
    before, after = (json.loads((place / "tokenizer.json").read_text())["model"]["vocab"] for place in (source, folder))
    return {i: old.encode(then[0].removeprefix("▁"), add_special_tokens=False).ids for i, (now, then) in enumerate(zip(before, after)) if now != then}


@torch.no_grad()
def embed(embeddings, added):
    """Sets the embeddings [pieces, width] of new pieces."""
    start = embeddings.clone()
    for i, ids in added.items():
        embeddings[i] = start[ids].mean(0)
