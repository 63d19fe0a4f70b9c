"""Pocket's domain: scenes of a product catalogue, and their captions."""

import hashlib
from dataclasses import dataclass

COLOURS = {
    "red": (206, 36, 40), "orange": (242, 128, 22), "yellow": (246, 208, 40), "green": (44, 150, 62), "teal": (18, 158, 160),
    "blue": (38, 92, 214), "purple": (126, 54, 168), "pink": (243, 106, 168), "black": (40, 40, 45), "white": (243, 243, 241),
}
PRODUCTS = {
    "mug": ["mug", "coffee mug"], "bottle": ["bottle"], "t-shirt": ["t-shirt", "tee shirt"], "sneaker": ["sneaker", "running shoe"],
    "handbag": ["handbag", "purse"], "lamp": ["lamp", "table lamp"], "chair": ["chair"], "book": ["book"],
    "phone": ["phone", "smartphone"], "wristwatch": ["wristwatch", "watch"], "backpack": ["backpack", "rucksack"], "vase": ["vase"],
}
BACKGROUNDS = {
    "white": ["on a white background", "in a white studio", "on plain white", "on white"],
    "grey": ["on a grey gradient background", "against a gray gradient", "on a grey backdrop", "on a grey background"],
    "wood": ["on a wooden table", "on a wood table", "on a wooden desk"],
    "marble": ["on a marble countertop", "on marble", "on a marble table"],
    "pink": ["on a pastel pink background", "against a pale pink backdrop", "on soft pastel pink"],
    "night": ["against a night blue background", "on a dark blue background", "on a night blue backdrop", "on a night blue background"],
}
POSITIONS = {"center": ["", "", "centered", "in the center"], "left": ["on the left", "on the left side"], "right": ["on the right", "on the right side"]}
SIZES = {"large": ["", "", "", "large"], "small": ["small"]}
FINISHES = {"plain": [""], "glossy": ["glossy"], "matte": ["matte"]}
LABELS = {"": [""], "new": ["new badge", "with a new badge"], "sale": ["sale badge", "with a sale badge"]}
ATTRIBUTES = {
    "product": list(PRODUCTS), "colour": list(COLOURS), "background": list(BACKGROUNDS), "position": list(POSITIONS),
    "size": list(SIZES), "finish": list(FINISHES), "label": list(LABELS),
}
READ = ("product", "colour", "background")  # the attributes that the judge reads

# Words without effect on the image, which are common in prompts.
FILLERS = [
    "high quality", "detailed", "sharp focus", "soft light", "minimalist", "elegant", "classic", "premium", "front view", "realistic",
    "for sale", "handmade", "stylish", "clean", "bright", "simple", "beautiful", "designer", "professional lighting", "online shop",
    "soft shadow", "catalog style", "studio lighting", "e-commerce", "best seller",
]


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
    """A random scene, of the trained or of the held-out combinations; `plain` scenes have neither finish nor label."""
    while True:
        product, colour, background = (rng.choice(list(values)) for values in (PRODUCTS, COLOURS, BACKGROUNDS))
        if held_out(product, colour, background) == held:
            break
    return Scene(
        product, colour, background,
        position=rng.choices(list(POSITIONS), (2, 1, 1))[0],
        size=size or rng.choices(list(SIZES), (13, 7))[0],
        finish="plain" if plain else rng.choices(list(FINISHES), (4, 1, 1))[0],
        label="" if plain else rng.choices(list(LABELS), (8, 1, 1))[0])


def caption(scene, rng):
    """One of the captions of a scene."""
    product, background = rng.choice(PRODUCTS[scene.product]), rng.choice(BACKGROUNDS[scene.background])
    position, size = rng.choice(POSITIONS[scene.position]), rng.choice(SIZES[scene.size])
    finish, label = rng.choice(FINISHES[scene.finish]), rng.choice(LABELS[scene.label])
    noun = join(size, finish, scene.colour, product)
    thing = f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
    aside = "".join(f", {part}" for part in (position, label) if part)
    text = rng.choice([
        lambda: f"{join(thing, position, background, label)}, studio product photo",
        lambda: f"a product photo of {thing} {background}{aside}",
        lambda: f"{thing} {background}{aside}",
        lambda: f"{noun} {background}{aside}",
        lambda: f"{noun} {background}{aside}",
        lambda: f"catalog picture of {join(thing, position, background, label)}",
        lambda: f"{join(size, finish, product)} in {scene.colour}{aside}, {background}",
        lambda: f"{background}, {join(thing, position, label)}",
        lambda: f"photo of {join(thing, position, background, label)}, soft shadow",
        lambda: f"an image of {thing} {background}{aside}, e-commerce",
    ])()
    if rng.random() < 0.2:
        text = f"{text}, {rng.choice(FILLERS)}"
    if rng.random() < 0.05:
        text = f"{rng.choice(FILLERS)}, {text}"
    if rng.random() < 0.15:
        text = text[0].upper() + text[1:] + rng.choice(["", "."])
    return text


def join(*words):
    return " ".join(word for word in words if word)
