"""Captions of scenes as people write prompts: short and long, with quotes of all kinds, British and American spelling, and slips."""

from catalogue import Scene

PRODUCTS = {
    "mug": ["mug", "mug", "coffee mug", "tea mug", "cup", "coffee cup"], "bottle": ["bottle", "bottle", "water bottle", "glass bottle"],
    "t-shirt": ["t-shirt", "t-shirt", "tee shirt", "t shirt", "tshirt", "tee", "shirt"],
    "sneaker": ["sneaker", "sneaker", "running shoe", "trainer", "shoe", "sports shoe", "sneakers", "running shoes"],
    "handbag": ["handbag", "handbag", "purse", "hand bag", "bag", "lady's handbag"], "lamp": ["lamp", "lamp", "table lamp", "desk lamp", "bedside lamp"],
    "chair": ["chair", "chair", "dining chair"], "book": ["book", "book", "hardcover book", "hardback"],
    "phone": ["phone", "phone", "smartphone", "mobile phone", "cell phone", "smart phone"],
    "wristwatch": ["wristwatch", "watch", "wrist watch", "wristwatch"], "backpack": ["backpack", "backpack", "rucksack", "back pack"],
    "vase": ["vase", "vase", "flower vase"],
}
# Noun phrases of backgrounds, with the prepositions that fit.
WALL, TABLE = ("on", "against", "in front of"), ("on",)
BACKGROUNDS = {
    "white": [("a white background", WALL), ("a plain white background", WALL), ("a white backdrop", WALL), ("a white studio", ("in",)), ("white", ("on",)),
              ("plain white", ("on", "isolated on")), ("a pure white background", WALL), ("a white studio background", WALL), ("a white wall", ("in front of",))],
    "grey": [(f"a {grey} {noun}", WALL) for grey in ("grey", "gray") for noun in ("gradient background", "gradient", "backdrop", "background", "studio backdrop", "wall")]
            + [("grey", ("on",)), ("gray", ("on",))],
    "wood": [(f"a {noun}", TABLE) for noun in ("wooden table", "wood table", "wooden desk", "wooden surface", "wooden floor", "wooden tabletop")] + [("wood", ("on",))],
    "marble": [(f"a {noun}", TABLE) for noun in ("marble countertop", "marble table", "marble counter", "marble surface", "marble floor", "white marble table")]
              + [("marble", ("on",))],
    "pink": [("a pastel pink background", WALL), ("a pale pink backdrop", WALL), ("soft pastel pink", ("on",)), ("a soft pink background", WALL), ("pastel pink", ("on",)),
             ("a light pink background", WALL), ("pale pink", ("on",)), ("a pink pastel background", WALL), ("soft pink", ("on",))],
    "night": [("a night blue background", WALL), ("a dark blue background", WALL), ("a night blue backdrop", WALL), ("dark blue", ("on", "against")), ("night blue", ("on", "against")),
              ("a navy blue background", WALL), ("a midnight blue background", WALL), ("a dark blue backdrop", WALL), ("a night blue wall", ("in front of",))],
}
SIDES = ["on the {}", "on the {}", "on the {} side", "at the {}", "to the {}", "placed on the {}", "on the {}-hand side", "on the {} of the picture", "in the {} part of the image"]
MIDDLE = ["", "", "", "centered", "centred", "in the center", "in the centre", "in the middle"]
SIZES = {"large": ["", "", "", "", "large", "big"], "small": ["small", "small", "small", "little", "tiny"]}
FINISHES = {"plain": [""], "glossy": ["glossy", "shiny"], "matte": ["matte", "matt"]}
WORDS = {"-20%": ["-20%", "-20%", "–20%", "-20 %", "20% off", "−20%"], "-50%": ["-50%", "-50%", "–50%", "-50 %", "50% off", "−50%"],
         "2 for 1": ["2 for 1", "2 for 1", "2 for 1", "2-for-1", "2for1", "two for one"]}
QUOTES = ['""', '""', '""', "“”", "“”", "''", "‘’", "«»", "„“", ("« ", " »"), "``"]
BADGES = ["badge"] * 6 + ["label", "label", "label", "sticker", "sticker", "tag", "tag", "sign", "corner badge", "stamp"]
ADJECTIVES = ["modern", "vintage", "stylish", "simple", "elegant", "classic", "handmade", "premium", "ceramic", "leather", "cotton", "minimalist", "designer", "beautiful", "single", "nice", "cute"]
# Words without effect on the image, which are common in prompts.
CLAUSES = [
    "high quality", "detailed", "highly detailed", "sharp focus", "soft light", "minimalist", "elegant", "classic", "premium", "front view", "realistic", "photorealistic",
    "for sale", "handmade", "stylish", "clean", "bright", "simple", "beautiful", "designer", "professional lighting", "online shop", "soft shadow", "catalog style",
    "catalogue style", "studio lighting", "e-commerce", "best seller", "product photo", "product photography", "studio product photo", "8k", "4k", "hd", "high resolution", "no people",
    "packshot", "commercial photography", "natural light", "warm light", "isolated", "shallow depth of field", "cinematic", "for an online store",
    "top quality", "new collection", "advertising", "clean look", "professional photo", "ultra realistic", "moody", "luxury",
]
SENTENCES = [
    "The lighting is soft and even.", "Soft shadows fall on the ground.", "The picture is sharp and clean.", "It is a professional product shot for an online shop.",
    "The style is simple and modern.", "The mood is calm and elegant.", "Shot from the front with a 50 mm lens.", "The image is meant for a catalogue.", "No people, no other objects.",
    "It looks new and of high quality.", "The colors are natural.", "The colours are bright and clear.", "There is a lot of empty space around it.", "Morning light comes from the window.",
]

KNOWN = {"background": {"white": "on a white background", "grey": "on a grey gradient background", "wood": "on a wooden table", "marble": "on a marble countertop",
                        "pink": "on a pastel pink background", "night": "on a night blue background"},
         "position": {"center": "", "left": "on the left", "right": "on the right"}, "label": {"": "", "new": "new badge", "sale": "sale badge"}}


def join(*words):
    return " ".join(word for word in words if word)


def article(noun, rng):
    return noun if rng.random() < 0.1 else f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def word(label, rng):
    """A label as it is written in a prompt, in quotes or not."""
    text = rng.choice(WORDS.get(label, [label]))
    text = rng.choice([str.upper, str.upper, str.lower, str.lower, str.capitalize])(text)
    if rng.random() < 0.06:
        text += "!"
    if rng.random() < 0.3:
        return text
    before, after = rng.choice(QUOTES)
    return f"{before}{text}{after}"


def badge(label, rng):
    """A phrase that asks for a badge, after a comma or a space; empty for none."""
    if not label:
        return ""
    text, noun = word(label, rng), rng.choice(BADGES)
    if rng.random() < 0.12:
        noun = f"{rng.choice(['red', 'green', 'small', 'round', 'bold', 'bright', 'discount', 'promo'])} {noun}"
    plain = [
        f"with a {text} {noun}", f"with a {text} {noun}", f"with the {text} {noun}", f"{text} {noun}", f"with {noun} {text}", f"with a {noun} that says {text}",
        f"with a {noun} saying {text}", f"with a {noun} reading {text}", f"with a {noun} with the text {text}", f"with the word {text} on a {noun}", f"{noun} {text}", f"{noun}: {text}",
        f"and a {noun} {text}", f"with a {noun} that reads {text}", f"{text} on the {noun}", f"the {noun} says {text}", f"has a {text} {noun}",
    ]
    if text[0].lower() != label[0]:  # in quotes
        plain += [f"labelled {text}", f"labeled {text}", f"tagged {text}", f"marked {text}", f"with the text {text}", f"text {text}", text]
    return rng.choice(plain)


def parts(scene, rng):
    """The pieces of a caption: (noun with its adjectives, product without colour, background with preposition, background alone, position, badge)."""
    product, size, finish = rng.choice(PRODUCTS[scene.product]), rng.choice(SIZES[scene.size]), rng.choice(FINISHES[scene.finish])
    if rng.random() < 0.03:
        product = product if product.endswith("s") else f"{product}s"
    extra = rng.choice(ADJECTIVES) if rng.random() < 0.12 else ""
    colour = scene.colour if rng.random() < 0.94 else rng.choice(["bright ", "deep ", "vivid ", "plain "]) + scene.colour
    if rng.random() < 0.03:
        colour += rng.choice([" coloured", " colored", "-coloured"])
    ground, prepositions = rng.choice(BACKGROUNDS[scene.background])
    position = rng.choice(MIDDLE if scene.position == "center" else SIDES).format(scene.position)
    return (join(*rng.choice([(size, finish, extra, colour), (size, extra, finish, colour), (extra, size, finish, colour)]), product), join(size, finish, product),
            f"{rng.choice(prepositions)} {ground}", ground, position, badge(scene.label, rng))


def sentence(scene, rng):
    """One phrase or sentence."""
    noun, bare, place, ground, position, label = parts(scene, rng)
    thing, aside = article(noun, rng), f", {position}" if position else ""
    of = f"{position} of {ground}" if position.endswith((" left", " right", " side")) and ground.startswith("a ") and " to " not in f" {position}" else join(position, place)
    said = f"{rng.choice([' ', ' ', ', '])}{label}" if label else ""
    return rng.choice([
        lambda: f"{thing} {place}{aside}{said}",
        lambda: f"{thing} {join(position, place)}{said}",
        lambda: f"{thing} {of}{said}",
        lambda: f"{join(thing, label)} {join(position, place)}" if label.startswith("with ") else f"{thing} {join(position, place)}{said}",
        lambda: f"{rng.choice(['a photo of', 'photo of', 'a picture of', 'a product photo of', 'product photo of', 'an image of', 'catalogue photo of', 'catalog picture of', 'draw', 'show', 'I want', 'please draw', 'a studio shot of'])} {thing} {join(position, place)}{said}",
        lambda: f"{bare} in {scene.colour}{aside}, {place}{said}",
        lambda: f"{place}, {join(thing, position)}{said}",
        lambda: f"{join(thing, position)}, {place}{said}",
        lambda: f"{thing} {rng.choice(['standing', 'placed', 'lying', 'shown', 'photographed', 'seen'])} {join(position, place)}{said}",
        lambda: f"there is {thing} {join(position, place)}{said}",
    ])()


def keywords(scene, rng):
    """Pieces in any order, separated by commas or the like."""
    noun, _, place, ground, position, label = parts(scene, rng)
    ground = ground.removeprefix("a ") if rng.random() < 0.7 else place
    if ground in ("white", "grey", "gray", "pale pink", "soft pink", "pastel pink", "dark blue", "night blue", "plain white", "soft pastel pink"):
        ground += rng.choice([" background", " backdrop", ""]) if ground != place else ""
    if scene.position != "center" and rng.random() < 0.6:
        position = rng.choice(["{}", "{} side", "{} aligned", "position {}", "{}-aligned"]).format(scene.position)
    pieces = [piece for piece in (position, ground, label) if piece]
    rng.shuffle(pieces)
    pieces.insert(0 if rng.random() < 0.8 else rng.randint(0, len(pieces)), noun)
    pieces += rng.sample(CLAUSES, rng.choice([0, 0, 1, 1, 2, 3]))
    return rng.choice([", ", ", ", ", ", ",", " / ", " | ", "; ", ". ", " - " if not scene.label.startswith("-") else ", ", " "]).join(pieces)


def long(scene, rng):
    """Several sentences, or one with many clauses."""
    noun, bare, place, ground, position, label = parts(scene, rng)
    thing = article(noun, rng)
    start = rng.choice(["A product photo of {}", "A high quality studio photograph of {}", "Professional product photography of {}", "{}", "This picture shows {}", "A realistic image of {}"])
    start = start.format(thing)
    where = rng.choice([f"It stands {join(position, place)}.", f"The {bare.split()[-1]} is placed {join(position, place)}.", f"The background is {ground}." if not position else f"It is {position}, {place}."])
    badged = rng.choice(["In the corner there is a badge with the word {}.", "A badge in the corner says {}.", "There is a badge that reads {}.", "A small label with the text {} is in the corner.",
                         "The upper corner has a {} badge."]).format(word(scene.label, rng)) if scene.label else ""
    extras = rng.sample(SENTENCES, rng.choice([1, 1, 2]))
    clauses = rng.sample(CLAUSES, rng.choice([1, 2, 3]))
    if rng.random() < 0.5:
        rest = [piece for piece in (where, badged, *extras) if piece]
        if rng.random() < 0.5:
            rng.shuffle(rest)
        return f"{start}. {' '.join(rest)}"
    return ", ".join(piece for piece in (f"{start} {join(position, place)}", label, *clauses) if piece) + (f". {rng.choice(SENTENCES)}" if rng.random() < 0.4 else "")


def classic(scene, rng):
    """The plain wordings of the model card."""
    noun, bare, place, _, position, label = parts(scene, rng)
    thing, aside = article(noun, rng), "".join(f", {part}" for part in (position, label) if part)
    return rng.choice([
        lambda: f"{join(thing, position, place, label)}, studio product photo",
        lambda: f"a product photo of {thing} {place}{aside}",
        lambda: f"{thing} {place}{aside}",
        lambda: f"{noun} {place}{aside}",
        lambda: f"catalog picture of {join(thing, position, place, label)}",
        lambda: f"{bare} in {scene.colour}{aside}, {place}",
        lambda: f"{place}, {join(thing, position, label)}",
        lambda: f"photo of {join(thing, position, place, label)}, soft shadow",
    ])()


def known(drawn: Scene):
    """The caption of a scene in words that the first version of the checkpoint was trained on; None if it has another label."""
    if drawn.label not in KNOWN["label"]:
        return None
    words = [drawn.size if drawn.size == "small" else "", drawn.finish if drawn.finish != "plain" else "", drawn.colour, drawn.product]
    thing = " ".join(word for word in words if word)
    tail = [KNOWN["position"][drawn.position], KNOWN["label"][drawn.label]]
    return ", ".join([f"{'an' if thing[0] in 'aeiou' else 'a'} {thing} {KNOWN['background'][drawn.background]}", *(part for part in tail if part)])


STYLES = {"classic": (classic, 3), "sentence": (sentence, 5), "keywords": (keywords, 7), "long": (long, 2)}


def caption(scene: Scene, rng, style=None):
    """One of the captions of a scene, in one of the STYLES."""
    style = style or rng.choices(list(STYLES), [share for _, share in STYLES.values()])[0]
    text = STYLES[style][0](scene, rng)
    if style in ("classic", "sentence"):
        if rng.random() < 0.3:
            text = f"{text}, {', '.join(rng.sample(CLAUSES, rng.choice([1, 1, 2])))}"
        if rng.random() < 0.05:
            text = f"{rng.choice(CLAUSES)}, {text}"
    case = rng.random()
    if case < 0.35:
        text = text[0].upper() + text[1:]
    elif case < 0.38:
        text = text.upper()
    elif case < 0.42:
        text = text.title()
    elif case < 0.7:
        text = text.lower()
    slip = rng.random()
    if slip < 0.05:
        text = text.replace(",", "")
    elif slip < 0.08:
        text = text.replace(" a ", " ")
    elif slip < 0.10:
        text = text.replace(" a ", " an ")
    elif slip < 0.12:
        text = text.replace(" ", "  ", 2)
    elif slip < 0.14:
        text = text.replace(" the ", " ")
    return text.rstrip(" .") + rng.choice(["", "", "", ".", "!"]) if rng.random() < 0.4 else text
