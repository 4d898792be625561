"""What moves before the camera: people, hands and things, as RGBA sprites."""
import math

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from .backgrounds import WORDS, colour, fonts, fractal, shape

SKINS = np.array([[255, 219, 190], [241, 194, 155], [224, 172, 120], [198, 134, 88], [141, 85, 54], [90, 56, 40]])


def face(rng, s):
    """A bust, RGBA s x s."""
    image = Image.new("RGBA", (s * 2, s * 2), (0, 0, 0, 0))
    d, u = ImageDraw.Draw(image), s * 2 / 200
    skin = SKINS[rng.integers(6)] * rng.uniform(.85, 1.05)
    hair = [(30, 24, 20), (70, 45, 25), (130, 85, 40), (200, 160, 80), (150, 60, 30), (150, 150, 150), (225, 222, 215), colour(rng, .6)][rng.integers(8)]
    tone = lambda k: tuple(int(v) for v in np.clip(skin * k, 0, 255)) + (255,)
    box = lambda x, y, w, h, f, **m: d.ellipse([(x - w) * u, (y - h) * u, (x + w) * u, (y + h) * u], fill=f, **m)
    hw, hh, shirt = rng.uniform(34, 44), rng.uniform(46, 56), colour(rng)
    if rng.random() < .45:
        box(100, 90 + rng.uniform(0, 25), hw + rng.uniform(6, 16), hh + rng.uniform(8, 26), hair)
    d.rectangle([84 * u, 120 * u, 116 * u, 165 * u], fill=tone(.8))
    box(100, 205, rng.uniform(62, 92), 50, shirt)
    if rng.random() < .4:
        d.polygon([(84 * u, 152 * u), (116 * u, 152 * u), (100 * u, 185 * u)], fill=tone(.9))
    if rng.random() < .3:
        for y in range(165, 200, 10):
            d.line([30 * u, y * u, 170 * u, y * u], fill=colour(rng), width=int(3 * u))
    box(100 - hw, 92, 6, 11, tone(.88)), box(100 + hw, 92, 6, 11, tone(.88))
    box(100, 90, hw, hh, tone(1))
    for k in range(6):
        box(100 - (hw * .2) + k, 88, hw * (.85 - k * .09), hh * (.85 - k * .09), tone(1 + .014 * k))
    box(100 - 20, 106, 9, 6, tone(.97)), box(100 + 20, 106, 9, 6, tone(.95))
    if rng.random() < .9:
        top, low = 90 - hh, rng.uniform(-4, 14)
        d.pieslice([(100 - hw - 4) * u, (top - 9) * u, (100 + hw + 4) * u, (top + 62 + low) * u], 178 + rng.uniform(-12, 12), 362 + rng.uniform(-12, 12), fill=hair)
    e, iris, gaze = rng.uniform(15, 20), colour(rng, .8), rng.uniform(-2, 2)
    for x in (100 - e, 100 + e):
        box(x, 86, 7.5, rng.uniform(3, 5.5), (248, 246, 242)), box(x + gaze, 86, 3.6, 3.8, iris), box(x + gaze, 86, 1.8, 1.9, (15, 12, 10))
        d.line([(x - 8) * u, 76 * u, x * u, (74 - gaze) * u, (x + 8) * u, 76 * u], fill=tuple(int(v * .6) for v in hair), width=int(rng.uniform(1.5, 4) * u))
    d.line([101 * u, 88 * u, 106 * u, 104 * u, 98 * u, 106 * u], fill=tone(.72), width=int(1.6 * u))
    lip = tuple(np.clip(skin * [.85, .5, .5], 0, 255).astype(int)) + (255,)
    if rng.random() < .5:
        box(100, 120, rng.uniform(9, 15), rng.uniform(2, 7), lip)
        if rng.random() < .4:
            d.rectangle([92 * u, 117 * u, 108 * u, 119.5 * u], fill=(245, 243, 240))
    else:
        d.arc([86 * u, 104 * u, 114 * u, 124 * u], 25, 155, fill=lip, width=int(3 * u))
    if rng.random() < .25:
        for x in (100 - e, 100 + e):
            box(x, 86, 12, 10, None, outline=(25, 25, 30), width=int(2.2 * u))
        d.line([(100 - e + 12) * u, 86 * u, (100 + e - 12) * u, 86 * u], fill=(25, 25, 30), width=int(2 * u))
    if rng.random() < .15:
        box(100, 130, hw * .7, 14, hair), box(100, 121, 10, 4, lip)
    return image.resize((s, s), Image.BOX)


def blank(s):
    image = Image.new("RGBA", (s * 2, s * 2), (0, 0, 0, 0))
    return image, ImageDraw.Draw(image)


def hand(rng, s):
    """An open or pointing hand on a forearm."""
    image, d = blank(s)
    u, skin = s * 2 / 200, SKINS[rng.integers(6)] * rng.uniform(.85, 1.05)
    tone = lambda k: tuple(int(v) for v in np.clip(skin * k, 0, 255)) + (255,)
    spread, fingers = rng.uniform(.1, .3), rng.choice([5, 5, 4, 2])
    d.line([100 * u, 120 * u, 100 * u, 205 * u], fill=tone(.93), width=int(38 * u))
    if rng.random() < .6:
        d.rectangle([74 * u, 165 * u, 126 * u, 205 * u], fill=colour(rng) + (255,))
    for k in range(5):
        a = -math.pi / 2 + (k - 2) * spread * (1 if k else 1.9)
        long = (rng.uniform(48, 60) if k < fingers else 18) * (.72 if k == 0 else 1 - .06 * abs(k - 2))
        x, y = 100 + (k - 2) * 11, 100 - 6 * (2 - abs(k - 2)) + (22 if k == 0 else 0)
        for width, shade in ((15, .8), (12, 1.)):
            d.line([x * u, y * u, (x + long * math.cos(a)) * u, (y + long * math.sin(a)) * u], fill=tone(shade), width=int(width * u))
            d.ellipse([(x + long * math.cos(a) - width / 2) * u, (y + long * math.sin(a) - width / 2) * u, (x + long * math.cos(a) + width / 2) * u, (y + long * math.sin(a) + width / 2) * u], fill=tone(shade))
    d.ellipse([70 * u, 86 * u, 130 * u, 150 * u], fill=tone(.98))
    d.arc([78 * u, 100 * u, 122 * u, 140 * u], 200, 330, fill=tone(.8), width=int(2 * u))
    return image.resize((s, s), Image.BOX)


def person(rng, s):
    """A whole figure."""
    image, d = blank(s)
    u, skin = s * 2 / 200, tuple(int(v) for v in SKINS[rng.integers(6)] * rng.uniform(.85, 1)) + (255,)
    shirt, trousers, hair = colour(rng) + (255,), colour(rng) + (255,), colour(rng, .7) + (255,)
    limb = lambda x, y, xx, yy, w, f: d.line([x * u, y * u, xx * u, yy * u], fill=f, width=int(w * u))
    swing, reach = rng.uniform(-18, 18), rng.uniform(-25, 30)
    limb(94, 120, 92 - swing, 190, 14, trousers), limb(106, 120, 108 + swing, 190, 14, trousers)
    limb(84, 72, 72 - abs(reach), 118 - reach, 10, shirt), limb(116, 72, 128 + swing, 116, 10, shirt)
    d.rounded_rectangle([82 * u, 62 * u, 118 * u, 128 * u], 10 * u, fill=shirt)
    d.ellipse([88 * u, 30 * u, 112 * u, 62 * u], fill=skin), d.pieslice([86 * u, 26 * u, 114 * u, 58 * u], 180, 360, fill=hair)
    for x, y in ((72 - abs(reach), 118 - reach), (128 + swing, 116)):
        d.ellipse([(x - 6) * u, (y - 6) * u, (x + 6) * u, (y + 6) * u], fill=skin)
    return image.resize((s, s), Image.BOX)


def plant(rng, s):
    image, d = blank(s)
    u, base = s * 2 / 200, np.array(colour(rng, .6)) * .4 + np.array([40, 110, 40]) * rng.uniform(.5, 1.4)
    for _ in range(int(rng.integers(14, 60))):
        a, r, w = rng.uniform(-2.9, -.25), rng.uniform(30, 95), rng.uniform(3, 11)
        x, y, f = 100 + r * math.cos(a), 165 + r * math.sin(a), tuple(int(v) for v in np.clip(base * rng.uniform(.5, 1.5), 0, 255)) + (255,)
        d.line([100 * u, 165 * u, x * u, y * u], fill=tuple(int(v * .7) for v in f[:3]) + (255,), width=max(1, int(1.5 * u)))
        n, m = math.cos(a), math.sin(a)
        d.polygon([((x + n * w * 1.8) * u, (y + m * w * 1.8) * u), ((x - m * w) * u, (y + n * w) * u), ((x - n * w) * u, (y - m * w) * u), ((x + m * w) * u, (y - n * w) * u)], fill=f)
    if rng.random() < .6:
        d.polygon([(80 * u, 160 * u), (120 * u, 160 * u), (112 * u, 198 * u), (88 * u, 198 * u)], fill=colour(rng) + (255,))
    return image.resize((s, s), Image.BOX)


def screen(rng, s):
    """A monitor, telephone or picture frame with something on it."""
    image, d = blank(s)
    w, h = s * rng.uniform(.4, .9), s * rng.uniform(.35, .7)
    d.rectangle([s - w - s * .06, s - h - s * .06, s + w + s * .06, s + h + s * .06], fill=colour(rng, .4) + (255,))
    d.rectangle([s - w, s - h, s + w, s + h], fill=colour(rng) + (255,))
    for _ in range(int(rng.integers(2, 9))):
        x, y = s + rng.uniform(-w, w * .6), s + rng.uniform(-h, h * .8)
        if rng.random() < .5:
            d.rectangle([x, y, min(x + rng.uniform(.1, .6) * w, s + w), min(y + rng.uniform(.05, .4) * h, s + h)], fill=colour(rng) + (255,))
        else:
            d.text((x, y), str(rng.choice(WORDS)), fill=colour(rng) + (255,), font=fonts()[rng.integers(len(fonts())) // 5 * 5 + 1])
    return image.resize((s, s), Image.BOX)


def solid(rng, s):
    """A shaded ball, cup or bottle."""
    y, x = np.mgrid[-1.15:1.15:s * 1j, -1.15:1.15:s * 1j]
    kind, base, t = rng.integers(3), np.array(colour(rng)), rng.random() * 6.28
    if kind == 0:
        inside = np.hypot(x, y)
        z = np.sqrt(np.clip(1 - inside ** 2, 0, 1))
        light = np.clip(x * math.cos(t) * .6 + y * math.sin(t) * .6 + .6 * z, 0, 1)
        mask = np.clip((1 - inside) * s * .4, 0, 1)
    else:
        width = rng.uniform(.35, .6) * (1 if kind == 1 else np.where(y < -.35, .38, 1) * np.clip(1.2 + y * .2, .3, 1))
        side = x / width
        light = np.clip(.35 + .55 * np.sqrt(np.clip(1 - side ** 2, 0, 1)) + .35 * side * math.cos(t), 0, 1)
        mask = np.clip((width - abs(x)) * s * .4, 0, 1) * (abs(y) < rng.uniform(.6, 1))
    light, shine = light * rng.uniform(.9, 1.2), light ** rng.uniform(12, 40) * rng.uniform(0, 200)
    c = base * (.2 + .85 * light[..., None]) + shine[..., None]
    if rng.random() < .4:
        c = c * (1 + .35 * np.sign(np.sin(x * rng.uniform(4, 14) + y * rng.uniform(-8, 8)))[..., None])
    return Image.fromarray(np.dstack([np.clip(c, 0, 255), mask * 255]).astype(np.uint8))


def flat(rng, s, kind):
    image, d = blank(s)
    fill = colour(rng) + (255,)
    if kind == "pie":
        a = rng.random() * 360
        d.pieslice([s * .3, s * .3, s * 1.7, s * 1.7], a, a + rng.uniform(200, 330), fill=fill)
    elif kind == "glyph":
        d.text((s * .4, s * .2), str(rng.choice(list("AB&?R8gkW$5"))), fill=fill, font=fonts()[-1])
    elif kind == "blob":
        m = np.clip((fractal(rng, s * 2, s * 2, 2) + .5 - 2.2 * np.hypot(*np.mgrid[-1:1:s * 2j, -1:1:s * 2j])) * 6, 0, 1)
        image = Image.fromarray(np.dstack([np.full((s * 2, s * 2, 3), fill[:3]), m * 255]).astype(np.uint8))
    else:
        shape(rng, d, s, s, s * .75, fill, outline=colour(rng) + (255,))
    return image.resize((s, s), Image.BOX)


DRAWN = {"face": face, "hand": hand, "person": person, "plant": plant, "screen": screen, "solid": solid}
SHARE = {"face": .4, "hand": .08, "person": .07, "plant": .07, "screen": .06, "solid": .1, "shape": .07, "pie": .06, "glyph": .04, "blob": .05}


def sprite(rng, s):
    """(RGBA picture s x s with light and grain on it, kind)"""
    kind = str(rng.choice(list(SHARE), p=list(SHARE.values())))
    image = DRAWN[kind](rng, s) if kind in DRAWN else flat(rng, s, kind)
    a = np.asarray(image).astype(np.float32)
    y, x = np.mgrid[-1:1:s * 1j, -1:1:s * 1j]
    t = rng.random() * 6.28
    gain = 1 + rng.uniform(0, .45) * (x * math.cos(t) + y * math.sin(t)) + rng.uniform(0, .08) * fractal(rng, s, s, rng.uniform(.8, 1.4))
    a[..., :3] = np.clip(a[..., :3] * gain[..., None], 0, 255)
    image = Image.fromarray(a.astype(np.uint8))
    return (image.filter(ImageFilter.GaussianBlur(rng.uniform(.5, 2.5))) if rng.random() < .12 else image), kind
