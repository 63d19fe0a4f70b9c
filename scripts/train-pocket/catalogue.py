"""Pocket's domain: scenes of a product catalogue."""

import hashlib
from dataclasses import dataclass

COLOURS = {
    "red": (206, 36, 40), "orange": (242, 128, 22), "yellow": (246, 208, 40), "green": (44, 150, 62), "teal": (18, 158, 160),
    "blue": (38, 92, 214), "purple": (126, 54, 168), "pink": (243, 106, 168), "black": (40, 40, 45), "white": (243, 243, 241),
}
PRODUCTS = ("mug", "bottle", "t-shirt", "sneaker", "handbag", "lamp", "chair", "book", "phone", "wristwatch", "backpack", "vase")
BACKGROUNDS = ("white", "grey", "wood", "marble", "pink", "night")
POSITIONS, SIZES, FINISHES = ("center", "left", "right"), ("large", "small"), ("plain", "glossy", "matte")
LABELS = ("", "new", "sale", "-20%", "-50%", "eco", "best", "2 for 1", "hot", "bio", "top", "gift", "last", "vegan")
ATTRIBUTES = {
    "product": list(PRODUCTS), "colour": list(COLOURS), "background": list(BACKGROUNDS), "position": list(POSITIONS),
    "size": list(SIZES), "finish": list(FINISHES), "label": list(LABELS),
}
READ, LAYOUT = ("product", "colour", "background"), ("position", "size")  # what the judge reports together, beside the label


@dataclass(frozen=True)
class Scene:
    product: str
    colour: str
    background: str
    position: str = "center"
    size: str = "large"
    finish: str = "plain"
    label: str = ""

    def labels(self):
        """Its attributes as numbers, in the order of ATTRIBUTES."""
        return [values.index(getattr(self, name)) for name, values in ATTRIBUTES.items()]


def held_out(product, colour, background):
    """Whether a combination is among the tenth that is never trained on."""
    return hashlib.sha256(f"{product}/{colour}/{background}".encode()).digest()[0] % 10 == 0


def scene(rng, held=False, plain=False, size=None):
    """A random scene, of the trained (`held` is false), of the held-out, or of all combinations (None); `plain` scenes have neither finish nor label."""
    while True:
        product, colour, background = (rng.choice(list(values)) for values in (PRODUCTS, COLOURS, BACKGROUNDS))
        if held is None or held_out(product, colour, background) == held:
            break
    return Scene(
        product, colour, background,
        position=rng.choices(list(POSITIONS), (2, 1, 1))[0],
        size=size or rng.choices(list(SIZES), (13, 7))[0],
        finish="plain" if plain else rng.choices(list(FINISHES), (4, 1, 1))[0],
        label="" if plain or rng.random() < 0.5 else rng.choice(LABELS[1:]))
