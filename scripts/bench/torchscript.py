"""Loads the network texts of pipeline/resources/torchscript in Python, from the same archive that TorchScriptArchive writes in Java."""

import contextlib
import io
import pathlib
import re
import zipfile

import torch

TEXTS = pathlib.Path(__file__).resolve().parents[2] / "pipeline/resources/torchscript"
IMPORT = re.compile(r"^import (\w+)\n", re.MULTILINE)
LITERAL = r"""\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|#[^\n]*"""  # names of texts are no calls there


EDITS = []


@contextlib.contextmanager
def edited(edit):
    """Texts loaded meanwhile have their sources changed by edit(name, source)."""
    EDITS.append(edit)
    try:
        yield
    finally:
        EDITS.pop()


def load(text, class_name):
    """The module `class_name` of the text `text`, as torch.jit loads it."""
    sources = {}
    collect(text, sources)
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


def collect(name, sources):
    """Adds the sources of a text and of those that it imports, by name."""
    if name not in sources:
        sources[name] = (TEXTS / f"{name}.py").read_text(encoding="utf-8")
        for edit in EDITS:
            sources[name] = edit(name, sources[name])
        for used in IMPORT.findall(sources[name]):
            collect(used, sources)
