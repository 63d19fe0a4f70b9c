"""Loads the network texts of pipeline/resources/torchscript in Python, from the same archive that TorchScriptArchive writes in Java."""

import io
import pathlib
import re
import zipfile

import torch

TEXTS = pathlib.Path(__file__).resolve().parents[2] / "pipeline/resources/torchscript"
IMPORT = re.compile(r"^import (\w+)\n", re.MULTILINE)
LITERAL = r"""\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|#[^\n]*"""  # names of texts are no calls there


def load(text, class_name, edit=lambda name, source: source):
    """The module `class_name` of the text `text`, as torch.jit loads it; `edit` may change the source of each text."""
    sources = {}
    collect(text, sources, edit)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("module/data.pkl", b"\x80\x02c__torch__.%s\n%s\n)\x81}b." % (text.encode(), class_name.encode()))
        call = re.compile(rf"{LITERAL}|(?<![\w.])({'|'.join(sources)})(?=\.\w)")
        for name, source in sources.items():
            qualified = call.sub(lambda found: "__torch__." * bool(found[1]) + found[0], IMPORT.sub("\n", source))
            archive.writestr(f"module/code/__torch__/{name}.py", qualified)
        archive.writestr("module/constants.pkl", b"\x80\x02).")
        archive.writestr("module/version", "10\n")
        archive.writestr("module/byteorder", "little")
    buffer.seek(0)
    return torch.jit.load(buffer)


def collect(name, sources, edit):
    if name not in sources:
        sources[name] = edit(name, (TEXTS / f"{name}.py").read_text(encoding="utf-8"))
        for used in IMPORT.findall(sources[name]):
            collect(used, sources, edit)
