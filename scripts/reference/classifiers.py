"""Writes the reference cases of the classifiers and scorers: tiny checkpoints with random weights, and what
transformers and diffusers compute with them. See README.md.

usage: classifiers.py OUT CLIP_TOKENIZER DIFFUSERS_SOURCE
"""

import json
import os
import shutil
import sys

import numpy as np
import sentencepiece as spm
import torch
import transformers as tf
from PIL import Image
from safetensors.torch import save_file
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

out, clip_tokenizer, diffusers_source = sys.argv[1:]
sys.path.insert(0, diffusers_source)

TOWER = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32)
VISION = dict(TOWER, image_size=32, patch_size=8)
TEXTS = [
    "a red mug on a white table",
    "Two knives, a cutting board & 3 lemons!",
    "Überraschung: ein nackter Baum im Nebel",
    "一只黑色的猫坐在窗边",
    "blood orange juice in a shot glass",
    "a portrait of a sailor, " * 12,
]
TRAINING = TEXTS[:5] + [
    "a painting of a green house near the sea", "studio photo of leather shoes on marble",
    "the bomber jacket hangs beside a breast pocket shirt", "nude lipstick, matte, on a white background",
]
tensors, cases = {}, {}


def randomised(model, seed):
    torch.manual_seed(seed)
    for name, p in model.named_parameters():
        if p.dim() > 1:
            p.data.normal_(0, 0.3)
        elif name.endswith("weight"):
            p.data.normal_(1, 0.1)
        elif name.endswith("logit_scale"):
            p.data.fill_(2.0)
        else:
            p.data.normal_(0, 0.1)
    return model.eval()


def save(name, model, *parts):
    directory = os.path.join(out, name)
    model.save_pretrained(directory)
    for part in parts:
        part.save_pretrained(directory)
    return directory


def pictures():
    """A smooth picture, a noisy one, and a small one that has to grow."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[0:48, 0:80]
    smooth = np.stack([x * 3, y * 5, (x + y) * 2], -1) % 256
    return {
        "smooth": smooth.astype(np.uint8),
        "noisy": rng.integers(0, 256, (56, 40, 3), dtype=np.uint8),
        "small": rng.integers(0, 256, (20, 24, 3), dtype=np.uint8),
    }


PICTURES = pictures()
for name, picture in PICTURES.items():
    tensors["image." + name] = torch.from_numpy(picture)


def prepared(name, processor, picture):
    pixels = processor(Image.fromarray(PICTURES[picture]), return_tensors="pt")["pixel_values"]
    tensors[f"{name}.pixels.{picture}"] = pixels[0].contiguous()
    return pixels


@torch.no_grad()
def vit(name, processor, **options):
    model = randomised(tf.ViTForImageClassification(tf.ViTConfig(**VISION, **options)), 1)
    save(name, model, processor)
    cases[name] = {p: model(prepared(name, processor, p)).logits[0].tolist() for p in PICTURES}


def safety_checker():
    from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker, cosine_distance

    name = "safety-checker"
    config = tf.CLIPConfig(text_config=TOWER, vision_config=VISION, projection_dim=8)
    model = randomised(StableDiffusionSafetyChecker(config), 2)
    model.concept_embeds_weights.data.fill_(0.585)
    model.special_care_embeds_weights.data.fill_(0.5)
    processor = tf.CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    save(name, model, processor)
    cases[name] = {}
    for picture in PICTURES:
        pixels = prepared(name, processor, picture)
        with torch.no_grad():
            embeds = model.visual_projection(model.vision_model(pixels)[1])
            concepts = cosine_distance(embeds, model.concept_embeds)[0].tolist()
            special = cosine_distance(embeds, model.special_care_embeds)[0].tolist()
        _, flagged = model(pixels, np.zeros((1, 4, 4, 3)))
        cases[name][picture] = {"concepts": concepts, "special": special, "flagged": flagged[0]}


@torch.no_grad()
def clip():
    name = "clip"
    text = dict(TOWER, vocab_size=1000, max_position_embeddings=20, hidden_act="gelu")
    vocabulary = json.load(open(os.path.join(clip_tokenizer, "vocab.json")))
    text.update(vocab_size=len(vocabulary), eos_token_id=vocabulary["<|endoftext|>"])
    model = randomised(tf.CLIPModel(tf.CLIPConfig(text_config=text, vision_config=VISION, projection_dim=8)), 3)
    processor = tf.CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    directory = save(name, model, processor)
    for file in ("vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json"):
        shutil.copy(os.path.join(clip_tokenizer, file), directory)
    tokenizer = tf.CLIPTokenizer.from_pretrained(directory)
    similarities(name, model, processor, lambda t: tokenizer(
        t, padding="max_length", truncation=True, max_length=20, return_tensors="pt")["input_ids"])


def unigram(special):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.Lowercase(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.train_from_iterator(
        TRAINING, trainers.UnigramTrainer(vocab_size=150, special_tokens=special, unk_token=special[1]))
    return tokenizer


@torch.no_grad()
def siglip():
    name = "siglip"
    tokenizer = unigram(["<pad>", "<unk>", "</s>"])
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 2)])
    fast = tf.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>", eos_token="</s>", model_max_length=20)
    text = dict(TOWER, vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=20)
    model = randomised(tf.SiglipModel(tf.SiglipConfig(text_config=text, vision_config=VISION)), 4)
    processor = tf.SiglipImageProcessorPil(size={"height": 32, "width": 32})
    save(name, model, processor, fast)
    similarities(name, model, processor, lambda t: fast(
        t, padding="max_length", truncation=True, max_length=20, return_tensors="pt")["input_ids"])


def similarities(name, model, processor, ids):
    cases[name] = {}
    for picture in PICTURES:
        pixels = prepared(name, processor, picture)
        scores = [model(input_ids=ids(text), pixel_values=pixels).logits_per_image.item() for text in TEXTS]
        cases[name][picture] = {"scores": scores}
    cases[name]["ids"] = [ids(text)[0].tolist() for text in TEXTS]


def windows(ids, length):
    """Windows that overlap by a quarter, the last one at the end of the text; special tokens at both ends."""
    first, body, last = ids[0], ids[1:-1], ids[-1]
    room = length - 2
    if len(body) <= room:
        return [ids]
    starts = list(range(0, len(body) - room, room - room // 4)) + [len(body) - room]
    return [[first, *body[start:start + room], last] for start in starts]


@torch.no_grad()
def prompts(name, model, encode, length, files, seed):
    model = randomised(model, seed)
    directory = save(name, model)
    files(directory)
    logits = []
    for text in TEXTS:
        logits.append([model(input_ids=torch.tensor([ids])).logits[0].tolist() for ids in windows(encode(text), length)])
    cases[name] = {"ids": [encode(text) for text in TEXTS], "logits": logits}


def word_pieces(lowercase):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(TRAINING, trainers.WordPieceTrainer(
        vocab_size=160, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return tokenizer


def write(directory, name, text):
    with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
        file.write(text)


def vocab_txt(tokenizer, config):
    def files(directory):
        vocab = sorted(tokenizer.get_vocab().items(), key=lambda entry: entry[1])
        write(directory, "vocab.txt", "".join(token + "\n" for token, _ in vocab))
        write(directory, "tokenizer_config.json", json.dumps(config))
    return files


def tokenizer_json(tokenizer, config):
    def files(directory):
        tokenizer.save(os.path.join(directory, "tokenizer.json"))
        write(directory, "tokenizer_config.json", json.dumps(config))
    return files


def bert():
    tokenizer = word_pieces(lowercase=True)
    config = tf.BertConfig(**TOWER, vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=40,
                           id2label={0: "safe", 1: "sexual", 2: "violence"})
    prompts("bert", tf.BertForSequenceClassification(config), lambda t: tokenizer.encode(t).ids, 40,
            vocab_txt(tokenizer, {"do_lower_case": True, "model_max_length": 40, "tokenizer_class": "BertTokenizer"}), 5)


def distilbert():
    tokenizer = word_pieces(lowercase=False)
    config = tf.DistilBertConfig(dim=16, n_layers=2, n_heads=2, hidden_dim=32, vocab_size=tokenizer.get_vocab_size(),
                                 max_position_embeddings=40, id2label={0: "SAFE", 1: "UNSAFE"})
    prompts("distilbert", tf.DistilBertForSequenceClassification(config), lambda t: tokenizer.encode(t).ids, 40,
            tokenizer_json(tokenizer, {"tokenizer_class": "DistilBertTokenizer"}), 6)


def roberta():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.train_from_iterator(TRAINING, trainers.BpeTrainer(
        vocab_size=330, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    config = tf.RobertaConfig(**TOWER, vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=42,
                              type_vocab_size=1, id2label={0: "ok", 1: "toxic"}, problem_type="multi_label_classification")

    def files(directory):
        tokenizer.model.save(directory)  # vocab.json and merges.txt
        write(directory, "tokenizer_config.json", json.dumps({"tokenizer_class": "RobertaTokenizer"}))

    prompts("roberta", tf.RobertaForSequenceClassification(config), lambda t: tokenizer.encode(t).ids, 40, files, 7)


def deberta(name, seed, vocab_size, encode, files, **options):
    config = tf.DebertaV2Config(**TOWER, vocab_size=vocab_size, max_position_embeddings=40,
                                relative_attention=True, id2label={0: "SAFE", 1: "INJECTION"}, **options)
    prompts(name, tf.DebertaV2ForSequenceClassification(config), encode, 40, files, seed)


def deberta_v2():
    """DeBERTa-v2: a convolution, and here also projections, positions and token types of its own."""
    tokenizer = unigram(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    files = tokenizer_json(tokenizer, {"tokenizer_class": "DebertaV2Tokenizer", "split_by_punct": False})
    deberta("deberta-v2", 9, tokenizer.get_vocab_size(), lambda t: tokenizer.encode(t).ids, files, position_buckets=-1,
            norm_rel_ebd="none", share_att_key=False, pos_att_type="p2c|c2p", position_biased_input=True,
            type_vocab_size=2, conv_kernel_size=3, conv_act="gelu")


def deberta_v3():
    """DeBERTa-v3: shared keys, logarithmic buckets, no absolute positions; its ids are SentencePiece's own."""
    sentences, prefix = os.path.join(out, "training.txt"), os.path.join(out, "spm")
    write(out, "training.txt", "\n".join(TRAINING))
    spm.SentencePieceTrainer.train(
        input=sentences, model_prefix=prefix, vocab_size=150, hard_vocab_limit=False, minloglevel=2,
        normalization_rule_name="identity", pad_id=0, bos_id=1,
        eos_id=2, unk_id=3, pad_piece="[PAD]", bos_piece="[CLS]", eos_piece="[SEP]", unk_piece="[UNK]")
    model = spm.SentencePieceProcessor(model_file=prefix + ".model")
    os.remove(sentences)
    os.remove(prefix + ".vocab")

    def files(directory):
        shutil.move(prefix + ".model", os.path.join(directory, "spm.model"))
        write(directory, "tokenizer_config.json", json.dumps({"do_lower_case": False, "vocab_type": "spm"}))

    deberta("deberta-v3", 8, model.get_piece_size(), lambda t: [1, *model.encode(t), 2], files, position_buckets=8,
            norm_rel_ebd="layer_norm", share_att_key=True, pos_att_type="p2c|c2p", position_biased_input=False,
            type_vocab_size=0)


vit("vit", tf.ViTImageProcessorPil(size={"height": 32, "width": 32}, resample=2),
    id2label={0: "normal", 1: "nsfw"})
vit("vit-lanczos", tf.ViTImageProcessorPil(size={"height": 32, "width": 32}, resample=1, do_normalize=False),
    id2label={0: "normal", 1: "nsfw"}, qkv_bias=False, hidden_act="gelu_pytorch_tanh")
safety_checker()
clip()
siglip()
bert()
distilbert()
roberta()
deberta_v2()
deberta_v3()
save_file(tensors, os.path.join(out, "pictures.safetensors"))
cases["texts"] = TEXTS
write(out, "cases.json", json.dumps(cases, indent=1))
