"""Procedural video clips: the only pictures the model ever sees.

A clip is a background (dead leaves, rooms, gradients, flat test cards, fractal textures, pages of text) under a moving camera, with up to three
moving sprites (faces, shapes, pies, letters), an optional screen-fixed caption, a light field and tone curve. It is returned twice: clean (what
operators are applied to) and noisy (what the model gets), so that the model also learns to remove sensor noise. Everything follows from one generator.
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


def background(rng, height, width):
    """An RGB float canvas [height, width, 3] in 0..255."""
    h2, w2 = height * 2, width * 2
    kind = rng.choice(["leaves", "room", "gradient", "flat", "card", "fractal", "page"], p=[.33, .2, .14, .12, .06, .1, .05])
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


def face(rng, s):
    """A bust, RGBA s x s."""
    image = Image.new("RGBA", (s * 2, s * 2), (0, 0, 0, 0))
    d, u = ImageDraw.Draw(image), s * 2 / 200
    skin = np.array([[255, 219, 190], [241, 194, 155], [224, 172, 120], [198, 134, 88], [141, 85, 54], [90, 56, 40]][rng.integers(6)]) * rng.uniform(.85, 1.05)
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


def sprite(rng, s):
    kind = rng.choice(["face", "shape", "pie", "glyph", "blob"], p=[.55, .17, .1, .08, .1])
    if kind == "face":
        image = face(rng, s)
    else:
        image = Image.new("RGBA", (s * 2, s * 2), (0, 0, 0, 0))
        d, fill = ImageDraw.Draw(image), colour(rng) + (255,)
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
        image = image.resize((s, s), Image.BOX)
    a = np.asarray(image).astype(np.float32)
    y, x = np.mgrid[-1:1:s * 1j, -1:1:s * 1j]
    t = rng.random() * 6.28
    gain = 1 + rng.uniform(0, .45) * (x * math.cos(t) + y * math.sin(t)) + rng.uniform(0, .06) * fractal(rng, s, s, 1)
    a[..., :3] = np.clip(a[..., :3] * gain[..., None], 0, 255)
    return Image.fromarray(a.astype(np.uint8)), kind


def path(rng, frames, amount):
    """A smooth scalar track of about `amount`: constant velocity plus a sinusoid."""
    t = np.arange(frames) / 24
    return amount * (rng.uniform(-1, 1) * t + .4 * rng.uniform(-1, 1) * np.sin(t * rng.uniform(2, 9) + rng.random() * 6))


def place(image, width, height, x, y, scale, angle, mode):
    """The image with its centre at (x, y), scaled and turned, on a width x height frame."""
    c, s = math.cos(angle) / scale, math.sin(angle) / scale
    return image.transform((width, height), Image.AFFINE, (c, s, image.width / 2 - c * x - s * y, -s, c, image.height / 2 + s * x - c * y), mode)


def clip(rng, frames=25, height=128, width=128):
    """(clean, noisy), both u8 [frames, height, width, 3]."""
    big_h, big_w = int(height * 1.6), int(width * 1.6)
    base = Image.fromarray(background(rng, big_h, big_w).astype(np.uint8))
    move = rng.choice([0, .15, .5, 1]) * height * .2
    bx, by, ba, bz = (path(rng, frames, move) for _ in range(2)), 0, path(rng, frames, move / height * .5), path(rng, frames, move / height * .8)
    bx, by = bx
    actors = []
    for _ in range(int(rng.choice([0, 1, 2, 3], p=[.22, .4, .25, .13]))):
        picture, kind = sprite(rng, int(min(height, 200) * rng.uniform(.5, 1.25)))
        m = rng.choice([.1, .4, 1]) * height * .3
        actors.append((picture, rng.uniform(.15, .85) * width + path(rng, frames, m), rng.uniform(.35, .8) * height + path(rng, frames, m),
                       rng.uniform(.8, 1.2) * np.exp(path(rng, frames, .3)), rng.uniform(-.2, .2) + path(rng, frames, rng.choice([.1, .5, 6 if kind == "pie" else .5]))))
    caption = str(rng.choice(WORDS)) + " %02d:%02d" % tuple(rng.integers(0, 60, 2)) if rng.random() < .12 else None
    where, ink, font = rng.random(2) * [width * .5, height * .8], colour(rng), fonts()[rng.integers(len(fonts())) // 5 * 5]
    soft = rng.uniform(.4, 1.3) if rng.random() < .3 else 0
    out = np.empty((frames, height, width, 3), np.uint8)
    for i in range(frames):
        f = place(base, width, height, width / 2 + bx[i], height / 2 + by[i], 1.02 * math.exp(bz[i]), ba[i], Image.BICUBIC)
        for picture, x, y, z, a in actors:
            p = place(picture, width, height, x[i], y[i], z[i], a[i], Image.BICUBIC)
            f.paste(p, (0, 0), p)
        if caption:
            ImageDraw.Draw(f).text(tuple(where), caption + str(i % 10), fill=ink, font=font)
        out[i] = f.filter(ImageFilter.GaussianBlur(soft)) if soft else f
    light = Image.fromarray(rng.standard_normal((3, 3)).astype(np.float32)).resize((width, height), Image.BICUBIC)
    v = (out / np.float32(255)) ** np.float32(rng.uniform(.75, 1.4)) * np.exp(np.asarray(light) * rng.uniform(0, .25))[..., None]
    v = (v - .5) * np.float32(rng.uniform(.75, 1.2)) + np.float32(.5 + rng.uniform(-.06, .06))
    clean = np.clip(v, 0, 1)
    sigma = 0 if rng.random() < .4 else rng.uniform(.004, .03)
    noise = rng.standard_normal((frames, height, width, 3), np.float32) * np.float32(sigma)
    flicker = (1 + rng.standard_normal((frames, 1, 1, 1)) * rng.choice([0, .006, .02])).astype(np.float32)
    noisy = np.clip(clean * flicker + noise, 0, 1)
    return (clean * 255 + .5).astype(np.uint8), (noisy * 255 + .5).astype(np.uint8)
