"""Renders scenes: vector shapes, shaded and antialiased, at any size, without any photographs."""

import math
import random

import cv2
import numpy as np

from catalogue import COLOURS, LABELS

OVERSAMPLING = 4
DARK, METAL, GOLD, PAPER, TIMBER = (50, 48, 53), (188, 190, 197), (213, 175, 82), (245, 244, 240), (158, 107, 64)
# Half of each product's width on the ground, in units of its scale.
FOOTPRINT = {
    "mug": 0.75, "bottle": 0.45, "t-shirt": 0.62, "sneaker": 1.05, "handbag": 0.95, "lamp": 0.5, "chair": 0.7, "book": 0.75,
    "phone": 0.6, "wristwatch": 0.4, "backpack": 0.8, "vase": 0.42,
}


def render(scene, width, height, seed, badge_colours=False):
    """The image of a scene as [height, width, 3] bytes; the seed varies what the scene does not specify."""
    rng = random.Random(seed)
    side = min(width, height)
    scale = side * (0.325 if scene.size == "large" else 0.215) * rng.uniform(0.96, 1.04)
    edge = 1.1 * scale + 0.02 * width
    left = max(edge, width * (0.33 if scene.size == "large" else 0.27))
    x = {"center": width / 2, "left": left, "right": width - left}[scene.position] + rng.uniform(-0.015, 0.015) * side
    ground = height / 2 + 1.08 * scale + (0.05 * side if scene.size == "small" else 0) + rng.uniform(-0.015, 0.015) * side
    image = background(scene.background, width, height, ground - 0.2 * side, side, rng)
    shadow(image, x, ground, scale, FOOTPRINT[scene.product] * scale)
    tint = np.array([rng.uniform(-5, 5) for _ in range(3)]) + rng.uniform(0.96, 1.04) * np.array(COLOURS[scene.colour])
    DRAWINGS[scene.product](Painter(image, x, ground - scale, scale, np.clip(tint, 8, 250), scene.finish))
    if scene.label:
        label(image, scene.label, width, height, side, scene.position == "right", rng if badge_colours else None)
    return np.clip(image + 0.5, 0, 255).astype(np.uint8)


def blend(low, high, weight):
    weight = weight[..., None]
    return (np.float32(low) * (1 - weight) + np.float32(high) * weight).astype(np.float32)


def background(name, width, height, horizon, side, rng):
    yy, xx = np.mgrid[0:height, 0:width].astype(np.float32) + 0.5
    down = yy / height
    plain = {
        "white": ((251, 251, 252), (235, 235, 238)), "grey": ((120, 122, 128), (198, 200, 204)),
        "pink": ((252, 219, 227), (243, 196, 208)), "night": ((14, 20, 52), (45, 59, 114)),
    }
    if name in plain:
        glow = np.exp(-((xx - width / 2) / (0.62 * side)) ** 2 - ((yy - 0.42 * height) / (0.55 * side)) ** 2)
        return blend(*plain[name], down) + (4 if name == "white" else 10) * glow[..., None]
    wall = blend(*{"wood": ((227, 217, 201), (241, 233, 221)), "marble": ((206, 210, 215), (223, 226, 229))}[name], down)
    depth, phase = (yy - horizon) / side, rng.uniform(0, 2 * math.pi)
    if name == "wood":
        grain = 0.5 + 0.5 * np.sin(depth * 80 + 0.9 * np.sin(xx / side * 5.8 + phase) + phase)
        table = blend((152, 100, 57), (186, 132, 83), 0.65 * grain + 0.35 * np.clip(depth * 3, 0, 1))
    else:
        wave = xx / side * 9 + depth * 20 + 0.8 * np.sin(xx / side * 7.7 + phase) + phase
        table = blend((239, 239, 241), (166, 169, 177), 0.75 * np.exp(-((np.sin(wave) / 0.17) ** 2)))
    return blend(0, 1, np.clip(yy - horizon + 0.5, 0, 1)) * (table * (0.88 + 0.36 * np.clip(depth, 0, 0.33))[..., None] - wall) + wall


def shadow(image, x, ground, scale, half):
    """A soft shadow to the lower right, darker where the product touches the ground."""
    height, width = image.shape[:2]
    yy, xx = np.mgrid[0:height, 0:width].astype(np.float32) + 0.5
    wide = np.exp(-(((xx - x - 0.12 * scale) / (half * 1.1)) ** 2) - ((yy - ground) / (0.15 * scale)) ** 2)
    near = np.exp(-(((xx - x - 0.03 * scale) / (half * 0.85)) ** 2) - ((yy - ground) / (0.06 * scale)) ** 2)
    image *= (1 - 0.32 * wide - 0.24 * near)[..., None]


def label(image, text, width, height, side, left, rng=None):
    """A badge with a word in an upper corner, away from the product. With a random generator the badge has a random colour, so that a
    judge of labels learns the letters."""
    size, (strokes, half) = 0.17 * side, written(LETTERING[text])
    x = 0.03 * side + size * half * 1.05 if left else width - 0.03 * side - size * half * 1.05
    colour = BADGES[KINDS.get(text, "fact")] if rng is None else [rng.uniform(15, 210) for _ in range(3)]
    painter = Painter(image, x, 0.05 * side + size * 0.55, size, np.array(colour), "matte")
    painter.fill(rounded(-half, -0.5, half, 0.5, 0.22), kind="flat")
    painter.fill(*strokes, colour=(255, 255, 255), kind="flat", rim=False)


def written(text):
    """The strokes of a line of capitals, centred, and half the width of a badge around them."""
    widths = [WIDTHS.get(letter, 0.30) for letter in text]
    total = sum(widths) + GAP * (len(text) - 1)
    squeeze, x, strokes = min(1.0, 2.42 / total), -total / 2, []
    for letter, wide in zip(text, widths):
        for path in LETTERS[letter]:
            strokes += stroke([((x + px * wide) * squeeze, (py - 0.5) * 0.52) for px, py in path], 0.085)
        x += wide + GAP
    return strokes, max(1.0, total * squeeze / 2 + 0.19)


class Painter:
    """Fills shapes in units of the product: x and y in about [-1, 1], the ground at y = 1."""

    def __init__(self, image, x, y, scale, tint, finish):
        self.image, self.origin, self.scale, self.tint = image, np.array([x, y]), scale, np.float32(tint)
        self.gloss = {"plain": 22, "glossy": 85, "matte": 0}[finish]

    def fill(self, *shapes, colour=None, tone=1.0, kind="soft", rim=True):
        """Fills the union of polygons. `round` shades like a cylinder, `soft` like a cushion, `flat` not at all."""
        base = (self.tint if colour is None else np.float32(colour)) * tone
        points = np.concatenate(shapes)
        area = self.pixels(points)
        if area is None:
            return
        top, bottom, left, right = area
        cover, line = (self.mask(area, shapes, thickness) for thickness in (0, max(1, round(0.022 * self.scale * OVERSAMPLING))))
        u = ((np.arange(left, right, dtype=np.float32) + 0.5 - self.origin[0]) / self.scale)[None, :]
        v = ((np.arange(top, bottom, dtype=np.float32) + 0.5 - self.origin[1]) / self.scale)[:, None]
        low, high = points.min(0), points.max(0)
        across = (u - low[0]) / max(high[0] - low[0], 1e-3) + 0 * v
        down = (v - low[1]) / max(high[1] - low[1], 1e-3) + 0 * u
        gloss = self.gloss if colour is None else 12
        if kind == "round":
            light = 0.72 + 0.42 * np.exp(-(((across - 0.34) / 0.36) ** 2))
            shine = gloss * 1.5 * np.exp(-(((across - 0.28) / 0.075) ** 2))
        elif kind == "soft":
            light = 1.09 - 0.13 * across - 0.12 * down
            shine = gloss * np.exp(-(((across - 0.24 + 0.25 * (down - 0.3)) / 0.085) ** 2)) * (down < 0.8)
        else:
            light, shine = np.ones_like(across), 0 * across
        paint = base * light[..., None] + shine[..., None]
        if rim:
            paint = paint * (1 - 0.24 * line)[..., None]
        part = self.image[top:bottom, left:right]
        part += cover[..., None] * (np.clip(paint, 0, 255) - part)

    def pixels(self, points):
        height, width = self.image.shape[:2]
        low, high = (points.min(0) * self.scale + self.origin - 2).astype(int), (points.max(0) * self.scale + self.origin + 3).astype(int)
        left, top, right, bottom = max(low[0], 0), max(low[1], 0), min(high[0], width), min(high[1], height)
        return (top, bottom, left, right) if top < bottom and left < right else None

    def mask(self, area, shapes, thickness):
        top, bottom, left, right = area
        mask = np.zeros(((bottom - top) * OVERSAMPLING, (right - left) * OVERSAMPLING), np.uint8)
        for shape in shapes:
            corners = np.round((shape * self.scale + self.origin - (left, top)) * OVERSAMPLING * 8).astype(np.int32)
            if thickness:
                cv2.polylines(mask, [corners], True, 255, thickness, shift=3)
            else:
                cv2.fillPoly(mask, [corners], 255, shift=3)
        return cv2.resize(mask, (right - left, bottom - top), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def poly(*points):
    return np.array(points, float)


def ellipse(x, y, rx, ry):
    angle = np.linspace(0, 2 * math.pi, 48, endpoint=False)
    return np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], 1)


def rounded(x0, y0, x1, y1, radius):
    corners = ((x1 - radius, y1 - radius, 0), (x0 + radius, y1 - radius, 1), (x0 + radius, y0 + radius, 2), (x1 - radius, y0 + radius, 3))
    angles = [np.linspace(quarter * math.pi / 2, (quarter + 1) * math.pi / 2, 8) for _, _, quarter in corners]
    return np.concatenate([np.stack([x + radius * np.cos(a), y + radius * np.sin(a)], 1) for (x, y, _), a in zip(corners, angles)])


def arc(x, y, rx, ry, start, end, width):
    """An arc of an ellipse; angles in degrees clockwise from the right."""
    angle = np.radians(np.linspace(start, end, 40))
    outer, inner = ([x + (rx + d) * np.cos(angle), y + (ry + d) * np.sin(angle)] for d in (width / 2, -width / 2))
    return np.concatenate([np.stack(outer, 1), np.stack(inner, 1)[::-1]])


def stroke(points, width):
    """The polygons of a line with round ends and joints."""
    shapes = [ellipse(x, y, width / 2, width / 2) for x, y in points]
    for (x0, y0), (x1, y1) in zip(points, points[1:]):
        length = math.hypot(x1 - x0, y1 - y0)
        dx, dy = (y1 - y0) / length * width / 2, (x0 - x1) / length * width / 2
        shapes.append(poly((x0 + dx, y0 + dy), (x1 + dx, y1 + dy), (x1 - dx, y1 - dy), (x0 - dx, y0 - dy)))
    return shapes


def smooth(*points):
    """A closed Catmull-Rom curve through points."""
    p1 = np.array(points, float)
    p0, p2, p3 = np.roll(p1, 1, 0), np.roll(p1, -1, 0), np.roll(p1, -2, 0)
    t = np.linspace(0, 1, 10, endpoint=False)[None, :, None]
    p0, p1, p2, p3 = (p[:, None] for p in (p0, p1, p2, p3))
    return (0.5 * (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3)).reshape(-1, 2)


def mirrored(*profile):
    """A body of revolution from its right profile, (half width, y) from top to bottom."""
    return poly(*[(-x, y) for x, y in profile], *[(x, y) for x, y in reversed(profile)])


def mug(p):
    p.fill(arc(0.54, 0.12, 0.36, 0.40, -100, 100, 0.15), tone=0.84)
    p.fill(np.concatenate([poly((-0.64, -0.62), (0.56, -0.62)), ellipse(-0.04, 0.80, 0.60, 0.19)[0:25]]), kind="round")
    p.fill(ellipse(-0.04, -0.62, 0.60, 0.17), tone=1.10)
    p.fill(ellipse(-0.04, -0.60, 0.51, 0.125), tone=0.52, kind="flat", rim=False)


def bottle(p):
    p.fill(mirrored((0.13, -0.80), (0.14, -0.46), (0.20, -0.32), (0.35, -0.16), (0.39, 0.0), (0.39, 0.90), (0.33, 1.0)), kind="round")
    p.fill(rounded(-0.17, -1.0, 0.17, -0.76, 0.04), colour=DARK, kind="round")
    p.fill(rounded(-0.39, 0.10, 0.39, 0.64, 0.01), colour=PAPER, kind="round", rim=False)
    p.fill(rounded(-0.22, 0.23, 0.22, 0.33, 0.02), kind="flat", rim=False)
    p.fill(rounded(-0.15, 0.43, 0.15, 0.49, 0.02), colour=(150, 150, 152), kind="flat", rim=False)


def t_shirt(p):
    p.fill(poly(
        (-0.30, -0.86), (-0.16, -0.76), (0, -0.73), (0.16, -0.76), (0.30, -0.86), (0.60, -0.74), (1.0, -0.20), (0.72, 0.04), (0.55, -0.14),
        (0.56, 0.98), (-0.56, 0.98), (-0.55, -0.14), (-0.72, 0.04), (-1.0, -0.20), (-0.60, -0.74)))
    p.fill(arc(0, -0.90, 0.29, 0.20, 15, 165, 0.07), tone=0.74, rim=False)
    p.fill(*stroke([(-0.55, -0.14), (-0.50, -0.46)], 0.03), *stroke([(0.55, -0.14), (0.50, -0.46)], 0.03), tone=0.66, kind="flat", rim=False)
    p.fill(*stroke([(-0.53, 0.90), (0.53, 0.90)], 0.025), tone=0.74, kind="flat", rim=False)


def sneaker(p):
    p.fill(smooth(
        (-0.98, 0.74), (-0.96, 0.10), (-0.84, -0.14), (-0.58, -0.04), (-0.34, -0.14), (-0.10, -0.18), (0.18, 0.14), (0.60, 0.34),
        (0.94, 0.50), (1.02, 0.76), (0.40, 0.82), (-0.50, 0.82)))
    p.fill(smooth((-0.96, 0.10), (-0.80, -0.08), (-0.68, 0.30), (-0.72, 0.76), (-0.97, 0.76)), tone=0.66, rim=False)
    p.fill(smooth((0.52, 0.38), (0.92, 0.52), (1.0, 0.78), (0.50, 0.80)), tone=0.80, rim=False)
    p.fill(rounded(-1.03, 0.71, 1.06, 1.0, 0.12), colour=PAPER)
    p.fill(*stroke([(-0.98, 0.91), (1.0, 0.91)], 0.035), colour=(168, 168, 172), kind="flat", rim=False)
    for i in range(4):
        x, y = -0.24 + 0.15 * i, 0.13 + 0.10 * i
        p.fill(*stroke([(x - 0.08, y), (x + 0.11, y - 0.17)], 0.06), colour=PAPER, kind="flat", rim=False)


def handbag(p):
    p.fill(arc(0, -0.26, 0.40, 0.68, 180, 360, 0.09), tone=0.70)
    p.fill(poly((-0.70, -0.24), (0.70, -0.24), (0.93, 0.90), (0.86, 1.0), (-0.86, 1.0), (-0.93, 0.90)))
    p.fill(smooth((-0.72, -0.23), (0, -0.25), (0.72, -0.23), (0.76, 0.20), (0.0, 0.42), (-0.76, 0.20)), tone=0.80)
    p.fill(ellipse(0, 0.37, 0.11, 0.11), colour=GOLD)
    p.fill(ellipse(-0.42, -0.20, 0.07, 0.07), ellipse(0.42, -0.20, 0.07, 0.07), colour=GOLD, kind="flat")


def lamp(p):
    p.fill(rounded(-0.055, -0.10, 0.055, 0.88, 0.02), colour=METAL, kind="round")
    p.fill(ellipse(0, 0.90, 0.44, 0.11), colour=METAL, tone=0.86)
    p.fill(ellipse(0, 0.87, 0.40, 0.09), colour=METAL, tone=1.12, rim=False)
    p.fill(np.concatenate([poly((-0.36, -0.98), (0.36, -0.98)), ellipse(0, 0.04, 0.75, 0.11)[0:25]]), kind="round")
    p.fill(ellipse(0, -0.98, 0.36, 0.05), tone=1.12, kind="flat")


def chair(p):
    for x in (-0.38, 0.48):
        p.fill(poly((x - 0.05, 0.30), (x + 0.05, 0.30), (x + 0.04, 0.76), (x - 0.04, 0.76)), colour=TIMBER, tone=0.68, kind="flat")
    p.fill(poly((-0.42, -0.2), (-0.33, -0.2), (-0.33, 0.2), (-0.42, 0.2)), poly((0.42, -0.2), (0.51, -0.2), (0.51, 0.2), (0.42, 0.2)), tone=0.62, kind="flat")
    p.fill(rounded(-0.47, -1.0, 0.55, -0.04, 0.15))
    p.fill(rounded(-0.34, -0.87, 0.42, -0.17, 0.10), tone=0.86)
    p.fill(poly((-0.47, 0.08), (0.55, 0.08), (0.69, 0.34), (-0.64, 0.34)), tone=1.06)
    p.fill(poly((-0.64, 0.34), (0.69, 0.34), (0.69, 0.47), (-0.64, 0.47)), tone=0.74)
    for x in (-0.55, 0.60):
        p.fill(poly((x - 0.065, 0.47), (x + 0.065, 0.47), (x + 0.05, 1.0), (x - 0.05, 1.0)), colour=TIMBER, kind="flat")


def book(p):
    p.fill(poly((-0.60, -0.88), (0.62, -0.95), (0.74, -0.82), (0.74, 0.92), (0.62, 1.0), (-0.60, 1.0)), colour=PAPER, tone=0.93)
    p.fill(*stroke([(0.68, -0.84), (0.68, 0.92)], 0.02), colour=(180, 178, 172), kind="flat", rim=False)
    p.fill(poly((-0.66, -0.89), (0.60, -0.96), (0.60, 0.97), (-0.66, 1.0)))
    p.fill(poly((-0.66, -0.89), (-0.49, -0.90), (-0.49, 0.995), (-0.66, 1.0)), tone=0.66, rim=False)
    p.fill(rounded(-0.30, -0.58, 0.42, -0.44, 0.03), rounded(-0.20, -0.31, 0.32, -0.23, 0.03), colour=GOLD, kind="flat", rim=False)
    p.fill(arc(0.06, 0.38, 0.24, 0.24, 0, 360, 0.06), colour=GOLD, kind="flat", rim=False)


def phone(p):
    p.fill(rounded(-0.49, -1.0, 0.56, 1.0, 0.17), tone=0.58)
    p.fill(rounded(-0.53, -1.0, 0.51, 1.0, 0.17))
    p.fill(rounded(-0.43, -0.90, 0.04, -0.36, 0.13), tone=0.76)
    for x, y in ((-0.28, -0.74), (-0.10, -0.52)):
        p.fill(ellipse(x, y, 0.11, 0.11), colour=DARK, kind="flat")
        p.fill(ellipse(x - 0.03, y - 0.03, 0.035, 0.035), colour=(122, 132, 152), kind="flat", rim=False)
    p.fill(arc(-0.01, 0.10, 0.10, 0.10, 0, 360, 0.05), tone=0.80, kind="flat", rim=False)


def wristwatch(p):
    p.fill(poly((-0.25, -1.0), (0.25, -1.0), (0.35, -0.30), (-0.35, -0.30)), kind="round")
    p.fill(poly((-0.35, 0.30), (0.35, 0.30), (0.25, 1.0), (-0.25, 1.0)), kind="round")
    p.fill(*(ellipse(0, y, 0.045, 0.035) for y in (0.64, 0.80)), colour=DARK, kind="flat", rim=False)
    p.fill(rounded(0.46, -0.09, 0.64, 0.09, 0.03), colour=METAL, tone=0.80)
    p.fill(ellipse(0, 0, 0.53, 0.53), colour=METAL)
    p.fill(ellipse(0, 0, 0.44, 0.44), rim=False)
    p.fill(ellipse(0, 0, 0.36, 0.36), colour=PAPER, kind="flat")
    p.fill(*stroke([(0, 0.02), (0, -0.26)], 0.055), *stroke([(0, 0.02), (0.19, 0.11)], 0.055), colour=DARK, kind="flat", rim=False)


def backpack(p):
    p.fill(arc(0, -0.78, 0.19, 0.19, 180, 360, 0.09), tone=0.58)
    p.fill(rounded(-0.79, 0.02, -0.48, 0.88, 0.12), tone=0.66)
    p.fill(rounded(0.48, 0.02, 0.79, 0.88, 0.12), tone=0.60)
    p.fill(mirrored((0.20, -0.88), (0.42, -0.80), (0.56, -0.64), (0.64, -0.40), (0.66, 0.84), (0.60, 0.96), (0.50, 1.0)))
    p.fill(arc(0, -0.10, 0.50, 0.58, 180, 360, 0.04), tone=0.62, kind="flat", rim=False)
    p.fill(rounded(-0.46, 0.18, 0.46, 0.86, 0.12), tone=0.80)
    p.fill(*stroke([(-0.38, 0.34), (0.38, 0.34)], 0.04), colour=DARK, kind="flat", rim=False)
    p.fill(rounded(0.24, 0.32, 0.33, 0.50, 0.03), colour=GOLD, kind="flat")


def vase(p):
    right = smooth((0.25, -1.0), (0.19, -0.80), (0.21, -0.58), (0.44, -0.28), (0.63, 0.06), (0.64, 0.34), (0.54, 0.66), (0.38, 0.92), (0.32, 1.0), (0, 1.0), (0, -1.0))
    right = right[:81]
    p.fill(np.concatenate([right, (right * (-1, 1))[::-1]]), kind="round")
    p.fill(ellipse(0, -1.0, 0.255, 0.065), tone=1.10, kind="flat")
    p.fill(ellipse(0, -0.995, 0.19, 0.042), tone=0.50, kind="flat", rim=False)


DRAWINGS = {
    "mug": mug, "bottle": bottle, "t-shirt": t_shirt, "sneaker": sneaker, "handbag": handbag, "lamp": lamp, "chair": chair,
    "book": book, "phone": phone, "wristwatch": wristwatch, "backpack": backpack, "vase": vase,
}
# Paths on the unit square, from the top left.
LETTERS = {
    " ": [], "-": [[(0, 0.5), (1, 0.5)]],
    "%": [[(0.92, 0), (0.08, 1)], [(0.05, 0.05), (0.32, 0.05), (0.32, 0.35), (0.05, 0.35), (0.05, 0.05)], [(0.68, 0.65), (0.95, 0.65), (0.95, 0.95), (0.68, 0.95), (0.68, 0.65)]],
    "0": [[(0.3, 0), (0.7, 0), (1, 0.28), (1, 0.72), (0.7, 1), (0.3, 1), (0, 0.72), (0, 0.28), (0.3, 0)]],
    "1": [[(0, 0.22), (0.6, 0), (0.6, 1)]],
    "2": [[(0, 0.2), (0.3, 0), (0.75, 0), (1, 0.22), (0.9, 0.45), (0, 1), (1, 1)]],
    "5": [[(0.95, 0), (0.1, 0), (0.05, 0.45), (0.65, 0.4), (1, 0.6), (0.95, 0.85), (0.6, 1), (0, 0.93)]],
    "A": [[(0, 1), (0.5, 0), (1, 1)], [(0.2, 0.65), (0.8, 0.65)]],
    "B": [[(0, 0), (0, 1), (0.75, 1), (1, 0.85), (1, 0.62), (0.72, 0.47), (0.95, 0.3), (0.92, 0.12), (0.7, 0), (0, 0)], [(0, 0.47), (0.72, 0.47)]],
    "C": [[(1, 0.14), (0.7, 0), (0.3, 0), (0, 0.28), (0, 0.72), (0.3, 1), (0.7, 1), (1, 0.86)]],
    "E": [[(1, 0), (0, 0), (0, 1), (1, 1)], [(0, 0.5), (0.8, 0.5)]],
    "F": [[(1, 0), (0, 0), (0, 1)], [(0, 0.5), (0.8, 0.5)]],
    "G": [[(1, 0.14), (0.7, 0), (0.3, 0), (0, 0.28), (0, 0.72), (0.3, 1), (0.7, 1), (1, 0.86), (1, 0.55), (0.6, 0.55)]],
    "H": [[(0, 0), (0, 1)], [(1, 0), (1, 1)], [(0, 0.5), (1, 0.5)]],
    "I": [[(0.5, 0), (0.5, 1)]],
    "L": [[(0, 0), (0, 1), (1, 1)]],
    "N": [[(0, 1), (0, 0), (1, 1), (1, 0)]],
    "O": [[(0.3, 0), (0.7, 0), (1, 0.28), (1, 0.72), (0.7, 1), (0.3, 1), (0, 0.72), (0, 0.28), (0.3, 0)]],
    "P": [[(0, 1), (0, 0), (0.7, 0), (1, 0.15), (1, 0.4), (0.7, 0.56), (0, 0.56)]],
    "R": [[(0, 1), (0, 0), (0.7, 0), (1, 0.15), (1, 0.38), (0.7, 0.52), (0, 0.52)], [(0.5, 0.52), (1, 1)]],
    "S": [[(1, 0.1), (0.5, 0), (0, 0.22), (0.5, 0.5), (1, 0.78), (0.5, 1), (0, 0.9)]],
    "T": [[(0, 0), (1, 0)], [(0.5, 0), (0.5, 1)]],
    "V": [[(0, 0), (0.5, 1), (1, 0)]],
    "W": [[(0, 0), (0.25, 1), (0.5, 0.3), (0.75, 1), (1, 0)]],
}
WIDTHS, GAP = {"I": 0.08, "1": 0.16, "-": 0.20, " ": 0.06, "%": 0.36}, 0.14
LETTERING = {name: name.upper() for name in LABELS if name}
KINDS = dict.fromkeys(("sale", "-20%", "-50%", "2 for 1", "hot", "last"), "offer") | dict.fromkeys(("eco", "bio", "vegan"), "green")
BADGES = {"offer": (198, 30, 46), "green": (58, 128, 40), "fact": (24, 110, 92)}
