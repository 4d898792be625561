"""What the model is shown: unseen procedural clips, and photographs of scikit-image under a slowly moving camera. The photographs are for evaluation only."""
import functools
import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from .. import scenes

SIZES = {"320x176": (320, 176), "576x320": (576, 320)}
PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket", "stereo_motorcycle")
# Number of each procedural clip.
SCENES = {"face": 9, "hand": 8, "screen": 6}
PROCEDURAL = tuple(SCENES)
# Where the middle of the frame lies in the picture's height, if not in the middle: on the face.
MIDDLE = {"astronaut": .27}
# Deviation of the camera's noise, of 1; each picture's own.
SENSOR_NOISE = .012
FPS = 24
# A pair of numbers as seed: the training data's are single numbers, so none of its clips can come up here.
HELD_OUT = 20261122


@dataclass
class Clip:
    name: str
    clean: np.ndarray  # u8 [n, h, w, 3], what operators and figures use
    given: np.ndarray  # the same with sensor noise, what the model gets

    @property
    def photograph(self):
        return self.name in PHOTOGRAPHS


@functools.lru_cache(None)
def picture(name, width, height):
    """A photograph that fills 1.25 times the size."""
    from skimage import data
    pixels = getattr(data, name)()
    image = Image.fromarray(pixels[0] if isinstance(pixels, tuple) else pixels)
    scale = 1.25 * max(width / image.width, height / image.height)
    image = image.resize((math.ceil(image.width * scale), math.ceil(image.height * scale)), Image.LANCZOS)
    spare = image.height - 1.25 * height
    top = int(min(max(MIDDLE.get(name, .5) * image.height - 1.25 * height / 2, 0), spare))
    return image.crop((0, top, image.width, top + math.ceil(1.25 * height)))


def camera(image, frames, width, height, pan, zoom, turn):
    """pan (x, y): shares of the width per second; zoom: logarithm per second; turn: degrees per second. Each a number, or a value per frame."""
    t = (np.arange(frames) - frames / 2) / FPS
    track = lambda v: np.asarray(v) if np.ndim(v) else v * t
    x, y = (image.width / 2 + width * track(pan[0]), image.height / 2 + width * track(pan[1]))
    z, a = np.exp(track(zoom)), np.radians(track(turn))
    out = np.empty((frames, height, width, 3), np.uint8)
    for i in range(frames):
        c, s = math.cos(a[i]) / z[i], math.sin(a[i]) / z[i]
        out[i] = image.transform((width, height), Image.AFFINE, (c, s, x[i] - c * width / 2 - s * height / 2, -s, c, y[i] + s * width / 2 - c * height / 2), Image.BICUBIC)
    return out


def sensor(clean, seed):
    rng = np.random.default_rng([HELD_OUT, seed, len(clean)])
    noise = rng.standard_normal(clean.shape, np.float32) * np.float32(255 * SENSOR_NOISE)
    return (clean + noise + .5).clip(0, 255).astype(np.uint8)


def moving(name, frames, width, height):
    """A photograph under a camera that pans, zooms and turns evenly and slowly."""
    k = PHOTOGRAPHS.index(name)
    pan = [(.06, .01), (-.05, .02), (.03, -.02), (-.06, -.015), (.05, 0)][k]
    clean = camera(picture(name, width, height), frames, width, height, pan, [.03, -.03, .06, 0, -.04][k], [.8, -1.2, 1.6, -.6, 0][k])
    return Clip(name, clean, sensor(clean, k))


def still(name, frames, width, height):
    clean = np.repeat(camera(picture(name, width, height), 1, width, height, (0, 0), 0, 0), frames, 0)
    return Clip(name, clean, sensor(clean, 50))


def loop(name, frames, width, height):
    """A camera on a closed path, so that the clip can go on for ever."""
    phase = 2 * math.pi * np.arange(frames) / frames
    clean = camera(picture(name, width, height), frames, width, height, (.04 * np.sin(phase), .02 * np.cos(phase)), .03 * np.sin(phase), 1.5 * np.sin(phase))
    return Clip(name, clean, sensor(clean, 60))


def procedural(name, frames, width, height):
    clean, noisy = scenes.clip(np.random.default_rng([HELD_OUT, SCENES[name]]), frames, height, width)
    return Clip(name, clean, noisy)


def clip(name, frames, width, height):
    return (procedural if name in PROCEDURAL else moving)(name, frames, width, height)


def controls(frames, width, height):
    """Depth- and edge-like control videos of a photograph: a blurred shading, near is light, and thin light lines on black."""
    from PIL import ImageFilter
    from .metrics import gradient
    clean = moving("astronaut", frames, width, height).clean
    grey = [Image.fromarray(f).convert("L").filter(ImageFilter.GaussianBlur(height / 40)) for f in clean]
    depth = np.repeat(np.stack(grey)[..., None], 3, -1)
    soft = np.stack([np.asarray(Image.fromarray(f).filter(ImageFilter.GaussianBlur(1.2))) for f in clean])
    edges = np.repeat(((gradient(soft) - 6) * 20).clip(0, 255).astype(np.uint8)[..., None], 3, -1)
    return [Clip("depth", depth, depth), Clip("edges", edges, edges)]
