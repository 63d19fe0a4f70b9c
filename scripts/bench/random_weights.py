"""Random numbers, and the shapes of layers that several networks have."""

import torch

import torchscript

SIZES = ("released", "small", "tiny")  # small: some layers of some heads, for checks; tiny: for the scripts themselves


def chosen(size, *values):
    """The value for a size, of those in the order of SIZES."""
    return values[SIZES.index(size)]


class Numbers:
    """Random numbers for weights and inputs.

    tape: for the same numbers on several devices and in several types: made on the CPU and rounded to bfloat16, and kept in this list,
        from which the next one with the same list takes them
    """

    def __init__(self, device, dtype, tape=None):
        self.device, self.dtype, self.tape, self.taken = device, dtype, tape, 0
        self.generator = torch.Generator(device if tape is None else "cpu").manual_seed(0)

    def normal(self, shape, deviation=1.0, mean=0.0):
        if self.tape is None:
            x = torch.randn(shape, generator=self.generator, device=self.device, dtype=self.dtype)
            return x.mul_(deviation).add_(mean)
        rounded = lambda: torch.randn(shape, generator=self.generator).mul_(deviation).add_(mean).to(torch.bfloat16)
        return self.taped(rounded).to(self.device, self.dtype)

    def ids(self, batch, tokens, vocabulary):
        made = lambda: torch.randint(vocabulary, (batch, tokens), generator=self.generator, device=self.generator.device)
        return (made() if self.tape is None else self.taped(made)).to(self.device)

    def taped(self, made):
        if self.taken == len(self.tape):
            self.tape.append(made())
        self.taken += 1
        return self.tape[self.taken - 1]


class Shapes:
    """Shapes of a network's weights under diffusers' names, as its layout in Java declares them."""

    def __init__(self, biases):
        self.biases = biases
        self.shapes = {}
        self.deviations = {}  # of tensors whose random numbers are not scaled by their shape
        self.per_token = 0

    def linear(self, name, inputs, outputs, per_token=True):
        self.shapes[name + ".weight"] = (outputs, inputs)
        if self.biases:
            self.shapes[name + ".bias"] = (outputs,)
        self.per_token += inputs * outputs if per_token else 0

    def norms(self, prefix, names, width):
        for name in names:
            self.shapes[f"{prefix}{name}.weight"] = (width,)

    def embedder(self, name, inputs, width):
        self.linear(name + ".linear_1", inputs, width, per_token=False)
        self.linear(name + ".linear_2", width, width, per_token=False)

    def attention(self, prefix, width, head, added):
        for name in ["to_q", "to_k", "to_v", "to_out.0"] + added:
            self.linear(prefix + name, width, width, per_token=name in ("to_q", "to_k", "to_v", "to_out.0"))
        self.norms(prefix, ["norm_q", "norm_k"] + (["norm_added_q", "norm_added_k"] if added else []), head)

    def feed_forward(self, name, width, per_token=True):
        self.linear(name + ".net.0.proj", width, 4 * width, per_token)
        self.linear(name + ".net.2", 4 * width, width, per_token)

    def weights(self, numbers, fused=False):
        """Random weights that keep activations near 1: norms around 1, rows of products of length 1.

        fused: whether the projections to queries, keys and values are one layer, as Lightmill fuses them on CPUs
        """
        w = {name: self.random(name, numbers) for name in self.shapes}
        return fuse(w) if fused else w

    def random(self, name, numbers):
        shape = self.shapes[name]
        vector = max(shape) == torch.Size(shape).numel()
        deviation = 0.1 if vector else torch.Size(shape[1:]).numel() ** -0.5
        scales = name.endswith(".gamma") or (len(shape) == 1 and name.endswith(".weight"))
        return numbers.normal(shape, self.deviations.get(name, deviation), float(scales))


def fuse(w):
    """Replaces projections by fused ones."""
    for first in [name for name in w if name.endswith((".to_q.weight", ".add_q_proj.weight"))]:
        added = first.endswith(".add_q_proj.weight")
        prefix = first[: -len("add_q_proj.weight" if added else "to_q.weight")]
        parts, name = (("add_q_proj", "add_k_proj", "add_v_proj"), "to_added_qkv") if added else (("to_q", "to_k", "to_v"), "to_qkv")
        for kind in (".weight", ".bias"):
            if prefix + parts[0] + kind in w:
                w[prefix + name + kind] = torch.cat([w.pop(prefix + part + kind) for part in parts])
        norm = prefix + ("norm_added_" if added else "norm_")
        if norm + "q.weight" in w:
            norms = torch.stack([w[norm + "q.weight"], w[norm + "k.weight"]]).unsqueeze(1)
            heads = w[prefix + name + ".weight"].size(0) // 3 // norms.size(-1)
            w[norm + "qk.weight"] = norms.repeat(1, heads, 1)
    return w


STACK = torchscript.load("weights", "Weights")
