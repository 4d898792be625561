"""Streaming inference as the server does it: 13 frames, then 12 at a time.

A chunk attends to the last latent frame of the one before, by its keys and values of the last denoising step. Noise is drawn once for each step and
serves the whole stream, so that a still picture stays still; that of the first step is smooth in its last channels (see dream.py), which turn in text
mode. With video input noise is GAIN times as strong.
"""
import json
from pathlib import Path

import numpy as np
import torch

from . import dream, tensors
from .sampler import GAIN
from .text_encoder import TextEncoder
from .tokenizer import Tokenizer
from .transformer import MASK, Condition, Gelu, Transformer
from .vae import Vae, Z


def sigma(t):
    i = torch.arange(1000, dtype=torch.float64)
    s = 1 - i / 1000
    table = (5 * s / (1 + 4 * s)).float()
    return float(table[(table * 1000 - t).abs().argmin()])


class Models:
    def __init__(self, folder):
        """The exported files, as float32 of the rounded weights."""
        folder = Path(folder)
        config = json.loads((folder / "config.json").read_text())
        self.tokenizer = Tokenizer(json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"])
        self.vae, self.transformer, self.text = Vae(), Transformer(), TextEncoder(len(self.tokenizer.vocab))
        for model, name in ((self.vae, "vae"), (self.transformer, "transformer"), (self.text, "text_encoder")):
            weights = {k: v.float() for k, v in tensors.load(folder / f"{name}.safetensors")[0].items() if not k.startswith("seams.")}
            own = model.state_dict()
            model.load_state_dict({k: weights[k].view(v.shape) if k in weights else v for k, v in own.items()})
            model.eval()
            missing = set(own) - set(weights) - {"scale_in", "scale_out"}
            assert not missing and not set(weights) - set(own), (missing, set(weights) - set(own))
        self.vae.mean, self.vae.std = torch.tensor(config["vae"]["mean"]), torch.tensor(config["vae"]["std"])


class Stream:
    """One viewer's state. mode 'normal' (noised input), 'vace' (pure noise and a context) or 'text' (neither)."""

    def __init__(self, models, prompt, mode="normal", noise_scale=.7, steps=None, seed=0, references=(), log=None):
        """prompt: text, or a list of (text, weight); references: u8 [h, w, 3] in the stream's size."""
        self.m, self.mode, self.noise_scale, self.log = models, mode, noise_scale, log
        self.steps = list(steps or ((1000, 750, 500, 250) if mode == "text" else (700, 500)))
        if mode == "normal":
            self.steps[0] = int(1000 * noise_scale) - 100
        self.generator, self.draws, self.lead = torch.Generator().manual_seed(seed), {}, None
        self.prompt(prompt)
        self.references = self.images(references) if len(references) else None
        self.encoder = self.decoder = self.past = None
        self.frame = 0

    @torch.no_grad()
    def prompt(self, prompt):
        parts = [(prompt, 1.)] if isinstance(prompt, str) else prompt
        total = sum(w for _, w in parts)
        self.text = sum(w / total * self.m.text(*self.m.tokenizer.batch([text])) for text, w in parts)

    @torch.no_grad()
    def images(self, references):
        """Latents [1, Z, n, h, w], every image as the first frame of a video."""
        return torch.cat([self.m.vae.encode(torch.from_numpy(np.ascontiguousarray(r)).permute(2, 0, 1)[None, :, None].float() / 127.5 - 1)[0] for r in references], 2)

    def draw(self, step, shape):
        """Noise of a denoising step, [1, Z, frames, h, w]."""
        if step not in self.draws:
            drawn = torch.randn(shape[1], 1, *shape[3:], generator=self.generator)
            self.draws[step] = dream.smooth(drawn) if step == 0 else drawn
            if self.log is not None:
                self.log.setdefault("noise", []).append(drawn[None])
        n = self.draws[step]
        n = (dream.turned(n, self.frame, shape[2]) if self.mode == "text" and step == 0 else n.expand(-1, shape[2], -1, -1))[None]
        return n if self.mode == "text" else GAIN * n

    def condition(self, z, t):
        """What the branch sees: references, then video frames; references alone stand in the place of the first frames."""
        n, (h, w) = z.shape[2], z.shape[3:]
        parts, lead = [], None
        if self.references is not None:
            r = self.references
            parts.append(torch.cat([r, torch.zeros(1, Z + MASK, *r.shape[2:])], 1))
        if self.mode == "vace":
            grey = self.m.vae.grey(self.frame + n, h, w)[:, :, self.frame:] if self.frame < 4 else self.m.vae.grey(3, h, w)[:, :, 2:].expand(-1, -1, n, -1, -1)
            parts.append(torch.cat([grey, z, torch.ones(1, MASK, n, h, w)], 1))
            if self.references is not None:
                if self.lead is None:
                    self.lead = torch.randn(self.references.shape, generator=self.generator)
                lead = torch.lerp(self.references, self.lead, sigma(t))
        return [Condition(slice(0, 1), 0, n, torch.cat(parts, 2)[:, :, :n + (0 if lead is None else lead.shape[2])], lead)] if parts else None

    def denoise(self, z):
        """Clean latents of the next chunk, whose input is z [1, Z, frames, h, w] (in text mode only its shape counts)."""
        n, steps = z.shape[2], []
        noise = self.draw(0, z.shape)
        x = self.noise_scale * noise + (1 - self.noise_scale) * z if self.mode == "normal" else noise
        for i, t in enumerate(self.steps):
            times = torch.full((1, n), float(t))
            if i == 0:
                begin, condition = (x, times), self.condition(z, t)
            x0, kept = self.m.transformer(x, times, list(range(self.frame, self.frame + n)), [self.text], None, condition, self.past, begin)
            steps.append(x0)
            clean = sum(steps) / len(steps)
            if i + 1 < len(self.steps):
                s = sigma(self.steps[i + 1])
                x = (1 - s) * clean + s * self.draw(i + 1, z.shape)
        per = z.shape[3] * z.shape[4] // 4
        self.past = [(k[:, -per:], v[:, -per:]) for k, v in kept]
        if self.log is not None:
            self.log.setdefault("latent", []).append(z), self.log.setdefault("x0", []).append(steps)
        self.frame += n
        return clean

    @torch.no_grad()
    def chunk(self, frames):
        """u8 [13 or 12, H, W, 3] -> u8 of the same shape."""
        video = torch.from_numpy(np.ascontiguousarray(frames)).permute(3, 0, 1, 2)[None].float() / 127.5 - 1
        z, self.encoder = self.m.vae.encode(video, self.encoder)
        out, self.decoder = self.m.vae.decode(self.denoise(z), self.decoder, video if self.mode == "vace" else None)
        return ((out[0].permute(1, 2, 3, 0) + 1) * 127.5).round().clamp(0, 255).byte().numpy()

    def run(self, frames):
        """A whole clip of 13 + 12k frames."""
        cuts = [0, *range(13, len(frames) + 1, 12)]
        return np.concatenate([self.chunk(frames[a:z]) for a, z in zip(cuts, cuts[1:])])


def exact():
    """tanh GELU in the transformer, as in the original; float32 throughout."""
    Gelu.exact = True
