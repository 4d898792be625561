"""Procedural video clips: the only pictures the model ever sees.

A clip is a background under a moving camera, with up to three moving sprites (people, hands, things, letters), an optional screen-fixed caption, a
light field and tone curve. Half of the clips are slow, as a camera on a table sees things. It is returned twice: clean (what operators are applied
to) and as a poor camera gives it (noise, flicker, compression), so that the model also learns to clean up. Everything follows from one generator.
"""
import io
import math

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from .backgrounds import WORDS, background, colour, fonts
from .figures import sprite


def path(rng, frames, amount):
    """A smooth scalar track of about `amount`: constant velocity plus a sinusoid."""
    t = np.arange(frames) / 24
    return amount * (rng.uniform(-1, 1) * t + .4 * rng.uniform(-1, 1) * np.sin(t * rng.uniform(2, 9) + rng.random() * 6))


def place(image, width, height, x, y, scale, angle, mode):
    """The image with its centre at (x, y), scaled and turned, on a width x height frame."""
    c, s = math.cos(angle) / scale, math.sin(angle) / scale
    return image.transform((width, height), Image.AFFINE, (c, s, image.width / 2 - c * x - s * y, -s, c, image.height / 2 + s * x - c * y), mode)


class Camera:
    """The scene without light and sensor: `at(time)` draws it at a frame number, which need not be whole."""

    def __init__(self, rng, frames, height, width):
        self.size, self.frames = (width, height), np.arange(frames)
        self.base = Image.fromarray(background(rng, int(height * 1.6), int(width * 1.6)).astype(np.uint8))
        slow = rng.random() < .5
        move = rng.uniform(0, 24) if slow else rng.choice([0, .15, .5, 1]) * height * .2
        track = lambda m: path(rng, frames, m)
        self.pan = [width / 2 + track(move), height / 2 + track(move), 1.02 * np.exp(track(move / height * (.5 if rng.random() < .8 else 1.6))), track(move / height * .5)]
        self.actors = []
        for _ in range(int(rng.choice([0, 1, 2, 3], p=[.22, .4, .25, .13]))):
            picture, kind = sprite(rng, int(min(height, 200) * rng.uniform(.5, 1.25)))
            m = rng.choice([.03, .1, .2] if slow else [.1, .4, 1]) * height * .3
            self.actors.append((picture, rng.uniform(.15, .85) * width + track(m), rng.uniform(.35, .8) * height + track(m),
                                rng.uniform(.8, 1.2) * np.exp(track(.05 if slow else .3)), rng.uniform(-.2, .2) + track(rng.choice([.1, .5, 6 if kind == "pie" else .5]) * (.3 if slow else 1))))
        self.caption = str(rng.choice(WORDS)) + " %02d:%02d" % tuple(rng.integers(0, 60, 2)) if rng.random() < .12 else None
        self.where, self.ink, self.font = tuple(rng.random(2) * [width * .5, height * .8]), colour(rng), fonts()[rng.integers(len(fonts())) // 5 * 5]
        self.soft = rng.uniform(.4, 1.3) if rng.random() < .25 else 0

    def at(self, time):
        now = lambda track: float(np.interp(time, self.frames, track))
        f = place(self.base, *self.size, *(now(p) for p in self.pan), Image.BICUBIC)
        for picture, *tracks in self.actors:
            p = place(picture, *self.size, *(now(t) for t in tracks), Image.BICUBIC)
            f.paste(p, (0, 0), p)
        if self.caption:
            ImageDraw.Draw(f).text(self.where, self.caption + str(int(time) % 10), fill=self.ink, font=self.font)
        return f.filter(ImageFilter.GaussianBlur(self.soft)) if self.soft else f


def compressed(frames, quality):
    out = []
    for f in frames:
        file = io.BytesIO()
        Image.fromarray(f).save(file, "JPEG", quality=quality)
        out.append(np.asarray(Image.open(file)))
    return np.stack(out)


def clip(rng, frames=25, height=128, width=128):
    """(clean, noisy), both u8 [frames, height, width, 3]."""
    camera = Camera(rng, frames, height, width)
    shutter = [0, .25, .5] if rng.random() < .08 else [0]
    out = np.stack([np.mean([np.asarray(camera.at(max(0, i - s)), np.float32) for s in shutter], 0) for i in range(frames)])
    light = Image.fromarray(rng.standard_normal((3, 3)).astype(np.float32)).resize((width, height), Image.BICUBIC)
    v = (out / np.float32(255)) ** np.float32(rng.uniform(.75, 1.4)) * np.exp(np.asarray(light) * rng.uniform(0, .25))[..., None]
    v = (v - .5) * np.float32(rng.uniform(.75, 1.2)) + np.float32(.5 + rng.uniform(-.06, .06))
    dark = rng.random() < .08
    if dark:
        v = v * np.float32(rng.uniform(.25, .6)) * np.array(1 + rng.uniform(-.15, .15, 3), np.float32)
    clean = np.clip(v, 0, 1)
    sigma = rng.uniform(.015, .045) if dark else 0 if rng.random() < .4 else rng.uniform(.004, .03)
    noise = rng.standard_normal((frames, height, width, 3), np.float32) * np.float32(sigma)
    flicker = (1 + rng.standard_normal((frames, 1, 1, 1)) * rng.choice([0, .006, .02])).astype(np.float32)
    noisy = (np.clip(clean * flicker + noise, 0, 1) * 255 + .5).astype(np.uint8)
    if rng.random() < .25:
        noisy = compressed(noisy, int(rng.integers(35, 85)))
    return (clean * 255 + .5).astype(np.uint8), noisy
