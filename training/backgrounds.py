"""What the camera stands before: canvases of procedural scenes.

Dead leaves, rooms, gradients, flat test cards, fractal textures, pages of text, and scenery with the statistics of photographs.
"""
import functools
import glob
import math

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

WORDS = "Hello LIVE 42 video TEST open 7:31 Camera frame AB xyz NEWS stop 0123 light play".split()


@functools.lru_cache(None)
def fonts():
    files = sorted(glob.glob("/usr/share/fonts/truetype/*/*.ttf"))
    return [ImageFont.truetype(f, s) for f in files[:24:2] for s in (14, 22, 34, 60, 100)] or [ImageFont.load_default()]


def colour(rng, saturation=1.5):
    h, s, v = rng.random() * 6, rng.random() ** saturation, rng.beta(1.6, 1.3)
    if rng.random() < .25:
        v = 1 - .35 * rng.random()
    k = (np.array([5, 3, 1]) + h) % 6
    return tuple(int(255 * c) for c in v - v * s * np.clip(np.minimum(k, 4 - k), 0, 1))


def fractal(rng, height, width, power):
    """Noise with a 1/f^power amplitude spectrum, zero mean, unit deviation."""
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    f = np.sqrt(fy * fy + fx * fx)
    f[0, 0] = 1
    s = np.fft.rfft2(rng.standard_normal((height, width))) / f ** power
    s[0, 0] = 0
    n = np.fft.irfft2(s, s=(height, width))
    return (n / (n.std() + 1e-9)).astype(np.float32)


def shape(rng, draw, x, y, r, fill, **more):
    kind = rng.integers(6)
    a = rng.random() * 6.28
    if kind < 2:
        q = rng.uniform(.4, 1)
        draw.ellipse([x - r, y - r * q, x + r, y + r * q], fill=fill, **more)
    elif kind == 2:
        w, h = r * rng.uniform(.3, 1), r * rng.uniform(.3, 1)
        draw.rectangle([x - w, y - h, x + w, y + h], fill=fill, **more)
    else:
        n = int(rng.integers(3, 8)) if kind < 5 else 4
        q = rng.uniform(.45, 1, n) if kind < 5 else np.ones(n)
        angles = np.sort(rng.random(n) * 6.28) if kind == 3 else a + np.arange(n) * 6.2832 / n
        draw.polygon([(x + r * c * math.cos(t), y + r * c * math.sin(t)) for t, c in zip(angles, q)], fill=fill, **more)


def scenery(rng, height, width):
    """A canvas with the statistics of a photograph: leaves of all sizes, every one textured with coloured fractal noise, strands, shading."""
    index = Image.new("L", (width, height), int(rng.integers(16)))
    draw = ImageDraw.Draw(index)
    low, high = rng.uniform(3, 9), rng.uniform(.25, .8) * height
    for _ in range(int(rng.integers(20, 400))):
        u = rng.random()
        shape(rng, draw, rng.random() * width, rng.random() * height, (u * high ** -2 + (1 - u) * low ** -2) ** -.5, int(rng.integers(16)))
    if rng.random() < .4:
        a, spread, k = rng.random() * 6.28, rng.uniform(.1, 1.5), int(rng.integers(16))
        for _ in range(int(rng.integers(60, 500))):
            x, y, t, l = rng.random() * width, rng.random() * height, a + rng.standard_normal() * spread, rng.uniform(6, 40)
            draw.line([x, y, x + l * math.cos(t), y + l * math.sin(t)], fill=(k + int(rng.integers(3))) % 16, width=int(rng.integers(1, 3)))
    k = np.asarray(index)
    tone = np.array([colour(rng, rng.choice([1, 1.5, 2.5])) for _ in range(16)], np.float32)
    c = tone[k]
    for part in range(4):
        p, amount = rng.uniform(.7, 1.5), rng.uniform(3, 34) * rng.choice([.3, 1, 1])
        grain = fractal(rng, height, width, p)[..., None] * np.float32(amount)
        if rng.random() < .5:
            grain = grain + np.stack([fractal(rng, height, width, p) for _ in range(3)], -1) * np.float32(amount * .3)
        c = c + np.where((k % 4 == part)[..., None], grain, 0)
    shade = np.exp(fractal(rng, height, width, 2.2) * rng.uniform(0, .35))[..., None]
    c = np.clip(c * shade, 0, 255)
    soft = Image.fromarray(c.astype(np.uint8)).filter(ImageFilter.GaussianBlur(rng.uniform(.3, 1.1)))
    return np.asarray(soft, np.float32)


def background(rng, height, width):
    """An RGB float canvas [height, width, 3] in 0..255."""
    h2, w2 = height * 2, width * 2
    kind = rng.choice(["leaves", "room", "gradient", "flat", "card", "fractal", "page", "photo"], p=[.2, .16, .1, .09, .05, .07, .05, .28])
    if kind == "photo":
        return scenery(rng, height, width)
    image = Image.new("RGB", (w2, h2), colour(rng))
    index = Image.new("L", (w2, h2), int(rng.integers(6)))
    draw, mark = ImageDraw.Draw(image), ImageDraw.Draw(index)
    palette = [colour(rng) for _ in range(rng.choice([4, 8, 30]))]
    if kind in ("leaves", "flat"):
        low, high = rng.choice([6., 8., 16., 28.]), rng.uniform(.3, .7) * h2
        for _ in range(int(rng.integers(40, 220) if kind == "leaves" else rng.integers(0, 8))):
            u = rng.random()
            r = (u * high ** -2 + (1 - u) * low ** -2) ** -.5 if kind == "leaves" else rng.uniform(.05, .3) * h2
            x, y = rng.random() * w2, rng.random() * h2
            fill, tex = palette[rng.integers(len(palette))], int(rng.integers(6))
            state = rng.bit_generator.state
            shape(rng, draw, x, y, r, fill)
            rng.bit_generator.state = state
            shape(rng, mark, x, y, r, tex)
    elif kind == "room":
        draw.rectangle([0, rng.uniform(.5, .8) * h2, w2, h2], fill=palette[0])
        for _ in range(int(rng.integers(4, 26))):
            x, y, w, h = rng.random() * w2, rng.random() * h2, rng.uniform(.04, .3) * w2, rng.uniform(.04, .4) * h2
            edge = colour(rng) if rng.random() < .6 else None
            draw.rectangle([x, y, x + w, y + h], fill=palette[rng.integers(len(palette))], outline=edge, width=int(rng.integers(2, 9)))
            mark.rectangle([x, y, x + w, y + h], fill=int(rng.integers(6)))
    elif kind == "card":
        n = int(rng.integers(3, 10))
        for i in range(n):
            draw.rectangle([w2 * i / n, 0, w2 * (i + 1) / n, h2], fill=palette[i % len(palette)])
        if rng.random() < .5:
            s = int(rng.choice([16, 32, 64]))
            for y in range(0, h2 // 2, s):
                for x in range((y // s) % 2 * s, w2, 2 * s):
                    draw.rectangle([x, y, x + s - 1, y + s - 1], fill=palette[0])
    if kind == "page" or rng.random() < .2:
        for _ in range(40 if kind == "page" else int(rng.integers(1, 8))):
            text = " ".join(rng.choice(WORDS, rng.integers(1, 5)))
            draw.text((rng.random() * w2 * .9, rng.random() * h2), text, fill=palette[rng.integers(len(palette))], font=fonts()[rng.integers(len(fonts()))])
    if rng.random() < .3:
        image = image.rotate(rng.uniform(-30, 30), Image.BILINEAR, fillcolor=palette[0])
        index = index.rotate(0)
    c = np.asarray(image.resize((width, height), Image.BOX), np.float32)
    if kind == "gradient":
        small = rng.uniform(0, 255, (int(rng.integers(2, 4)), int(rng.integers(2, 4)), 3)).astype(np.uint8)
        c = np.asarray(Image.fromarray(small).resize((width, height), Image.BICUBIC), np.float32)
    if kind == "fractal":
        base, p = fractal(rng, height, width, rng.uniform(.9, 1.6))[..., None], rng.uniform(.9, 1.6)
        chroma = np.stack([fractal(rng, height, width, p) for _ in range(3)], -1)
        c = np.array(colour(rng)) * .6 + 50 + base * rng.uniform(15, 45) + chroma * rng.uniform(3, 30)
    elif kind in ("leaves", "room") or rng.random() < .3:
        k = np.asarray(index.resize((width, height), Image.NEAREST))
        y, x = np.mgrid[:height, :width].astype(np.float32)
        a, f = rng.random() * 3.14, rng.uniform(.15, 1.2)
        tex = [0, fractal(rng, height, width, 1.2) * rng.uniform(.05, .25), np.sin((x * math.cos(a) + y * math.sin(a)) * f) * rng.uniform(.05, .3),
               rng.standard_normal((height, width)) * rng.uniform(.02, .12), (x - width / 2) / width * 1.2, (y - height / 2) / height * 1.2]
        gain = np.ones((height, width), np.float32)
        for i in range(1, 6):
            gain += np.where(k == i, tex[i], 0).astype(np.float32)
        c = c * gain[..., None]
    return np.clip(c, 0, 255)
