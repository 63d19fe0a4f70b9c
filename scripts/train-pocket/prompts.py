"""Tokenizes prompts with the tokenizers of a checkpoint."""

import json
import pathlib

import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

CHECKPOINT = pathlib.Path(__file__).resolve().parents[2] / "pipeline/resources/models/pocket"
CLIP_TOKENS = 77


def clip_tokenizer():
    folder = CHECKPOINT / "tokenizer"
    tokenizer = Tokenizer(models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt"), end_of_word_suffix="</w>", unk_token="<|endoftext|>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    pattern = Regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(pattern, "removed", invert=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    return tokenizer


class Prompts:
    """The vocabulary of T5 is that of `folder`, a checkpoint or the state of a training; that of CLIP does not change."""

    def __init__(self, folder=CHECKPOINT):
        self.clip, self.t5 = clip_tokenizer(), Tokenizer.from_file(str(folder / "tokenizer_2/tokenizer.json"))
        self.t5.no_padding()
        self.t5.no_truncation()
        vocabulary = json.loads((CHECKPOINT / "tokenizer/vocab.json").read_text())
        self.begin, self.end = vocabulary["<|startoftext|>"], vocabulary["<|endoftext|>"]

    def ids(self, texts, tokens):
        """Tokens for CLIP, padded to the longest prompt since tokens after the end have no effect, and for T5, padded to `tokens`."""
        clip = [[self.begin, *encoded.ids[:CLIP_TOKENS - 2], self.end] for encoded in self.clip.encode_batch(texts, add_special_tokens=False)]
        longest = max(map(len, clip))
        t5 = [encoded.ids if len(encoded.ids) <= tokens else [*encoded.ids[:tokens - 1], 1] for encoded in self.t5.encode_batch(texts)]
        return (torch.tensor([ids + [self.end] * (longest - len(ids)) for ids in clip]),
                torch.tensor([ids + [0] * (tokens - len(ids)) for ids in t5]))
