"""Contact sheets, for looking at: python3 -m training.sheet looks|clips|model OUT.png [options].

`looks` shows operators on procedural clips, `clips` clips in time, `model` streams the newest weights (the running average in the checkpoint) over
held-out clips or given pictures under a slow camera: one row a look, one column a mode.
"""
import argparse

import numpy as np
import torch
from PIL import Image, ImageDraw

from . import scenes, stream, styles
from .data import CACHE, look
from .export import v_scale
from .prompts import KEYWORD
from .text_encoder import TextEncoder
from .tokenizer import Tokenizer
from .transformer import Transformer
from .vae import Vae, Z


class Current:
    """The parts of the running average, as stream.Models has them of exported files."""

    def __init__(self, file):
        state = torch.load(file, map_location="cpu")
        weights = state.get("ema", state)
        self.tokenizer, self.vae = Tokenizer(state["vocab"]), Vae.load(CACHE / "vae.pt")
        self.net, self.text = Transformer(v_scale(self.vae)), TextEncoder(len(state["vocab"]))
        self.net.load_state_dict(weights["net"]), self.text.load_state_dict(weights["text"])
        self.about = f"{state.get('steps', 0)} steps {state.get('losses', '')}"


    def transformer(self, *arguments):
        with torch.autocast("cpu", torch.bfloat16):
            return self.net(*arguments)


def moving(image, frames, width, height, speed=.6):
    """A slow pan and zoom over a picture."""
    image = image.convert("RGB")
    scale = max(width / image.width, height / image.height) * 1.12
    return np.stack([np.asarray(scenes.place(image, width, height, width / 2 + speed * (i - 12), height / 2 - .4 * speed * (i - 12), scale * 1.002 ** i, 0, Image.BICUBIC)) for i in range(frames)])


def label(picture, text):
    image = Image.fromarray(picture)
    ImageDraw.Draw(image).text((3, 2), text, fill=(255, 255, 0), stroke_width=1, stroke_fill=(0, 0, 0))
    return np.asarray(image)


def rendered(models, clip, name, mode, seed, at, reference):
    if mode == "operator":
        return look(name, clip[at:at + 1])[0]
    kind, _, scale = mode.partition(":")
    if kind == "text":
        s = stream.Stream(models, KEYWORD.get(name, name), "text", seed=seed)
        h, w = (n // 8 for n in clip.shape[1:3])
        with torch.no_grad():
            for n in (4, 3, 3)[:1 + (at - 1) // 12 + (at > 12)]:
                out, s.decoder = models.vae.decode(s.denoise(torch.zeros(1, Z, n, h, w)), s.decoder)
        return ((out[0, :, -1].permute(1, 2, 0) + 1) * 127.5).round().clamp(0, 255).byte().numpy()
    steps = {"1": (700,), "3": (700, 600, 500), "4": (1000, 750, 500, 250)}.get(scale[1:] if scale.startswith("s") else "", (700, 500))
    s = stream.Stream(models, KEYWORD.get(name, name), "normal" if kind.startswith("normal") else "vace", float(scale) if kind.startswith("normal") else .7, steps, seed, [reference] if "ref" in kind else ())
    return s.run(clip[:13 + 12 * (max(0, at - 1) // 12)])[at]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("what", choices=["looks", "clips", "model"]), p.add_argument("out")
    p.add_argument("--size", type=int, nargs=2, default=[320, 176]), p.add_argument("--seed", type=int, default=0), p.add_argument("--count", type=int, default=4)
    p.add_argument("--looks", nargs="*", default=styles.NAMES), p.add_argument("--modes", nargs="*", default=["operator", "vace", "normal:.5", "normal:.7", "normal:.9"])
    p.add_argument("--pictures", nargs="*", default=[]), p.add_argument("--reference"), p.add_argument("--at", type=int, default=16), p.add_argument("--checkpoint", default=CACHE / "transformer.pt")
    a = p.parse_args()
    torch.set_num_threads(1)
    (w, h), frames = a.size, 25
    clips = [moving(Image.open(f), frames, w, h) for f in a.pictures] or [scenes.clip(np.random.default_rng(9_000_000 + 100 * a.seed + i), frames, h, w) for i in range(a.count)]
    if a.what == "clips":
        sheet = [np.concatenate([(c[1] if isinstance(c, tuple) else c)[i] for i in (0, 6, 12, 18, 24)], 1) for c in clips]
    elif a.what == "looks":
        sheet = [np.concatenate([label(c[0][a.at], "clean"), *(label(look(n, c[0][a.at:a.at + 1])[0], n) for n in a.looks)], 0) for c in clips]
        sheet = [np.concatenate(sheet, 1)]
    else:
        models = Current(a.checkpoint)
        print(models.about)
        reference = np.asarray(Image.open(a.reference).convert("RGB").resize((w, h))) if a.reference else clips[-1][1][0] if isinstance(clips[-1], tuple) else clips[-1][0]
        sheet = []
        for k, c in enumerate(clips):
            clip = c[1] if isinstance(c, tuple) else c
            for name in a.looks:
                row = [label(clip[a.at], "input"), *(label(rendered(models, clip, name, m, k, a.at, reference), f"{name} {m}") for m in a.modes)]
                sheet.append(np.concatenate(row, 1))
    Image.fromarray(np.concatenate(sheet, 0)).save(a.out)


if __name__ == "__main__":
    main()
