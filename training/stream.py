"""Streaming inference as the server does it: 13 frames, then 12 at a time, with a key/value cache of the previous three latent frames."""
import json
from pathlib import Path

import numpy as np
import torch

from . import tensors
from .text_encoder import TextEncoder
from .tokenizer import Tokenizer
from .transformer import Gelu, Transformer
from .vae import Vae


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
        self.vae, self.transformer, self.text, self.tokenizer = Vae(), Transformer(), TextEncoder(), Tokenizer()
        for model, name in ((self.vae, "vae"), (self.transformer, "transformer"), (self.text, "text_encoder")):
            weights = {k: v.float() for k, v in tensors.load(folder / f"{name}.safetensors")[0].items()}
            own = model.state_dict()
            model.load_state_dict({k: weights[k].view(v.shape) if k in weights else v for k, v in own.items()})
            model.eval()
            missing = set(own) - set(weights) - {"scale_in", "scale_out"}
            assert not missing and not set(weights) - set(own), (missing, set(weights) - set(own))
        self.vae.mean, self.vae.std = torch.tensor(config["vae"]["mean"]), torch.tensor(config["vae"]["std"])


class Stream:
    """One viewer's state. mode 'normal' (noised input), 'vace' (pure noise and a context) or 'text' (neither)."""

    def __init__(self, models, prompt, mode="normal", noise_scale=.7, steps=(700, 500), seed=0, noise=None, log=None):
        self.m, self.mode, self.noise_scale, self.log = models, mode, noise_scale, log
        self.steps = list(steps)
        if mode == "normal":
            self.steps[0] = int(1000 * noise_scale) - 100
        self.generator, self.given = torch.Generator().manual_seed(seed), noise
        self.prompt(prompt)
        self.encoder = self.decoder = self.past = None
        self.frame = 0

    def prompt(self, text):
        with torch.no_grad():
            self.text = self.m.text(*self.m.tokenizer.batch([text]))

    def draw(self, shape):
        n = torch.randn(shape, generator=self.generator) if self.given is None else self.given.pop(0)
        if self.log is not None:
            self.log.setdefault("noise", []).append(n)
        return n

    @torch.no_grad()
    def chunk(self, frames):
        """u8 [13 or 12, H, W, 3] -> u8 of the same shape."""
        h, w = frames.shape[1] // 8, frames.shape[2] // 8
        video = torch.from_numpy(np.ascontiguousarray(frames)).permute(3, 0, 1, 2)[None].float() / 127.5 - 1
        z, self.encoder = self.m.vae.encode(video, self.encoder)
        n = z.shape[2]
        positions = list(range(self.frame, self.frame + n))
        context = None
        if self.mode == "vace":
            grey = self.m.vae.grey(self.frame + n, h, w)[:, :, self.frame:] if self.frame < 4 else self.m.vae.grey(3, h, w)[:, :, 2:].expand(-1, -1, n, -1, -1)
            context = [(slice(0, 1), 0, n, torch.cat([grey, z, torch.ones(1, 64, n, h, w)], 1))]
        noise = self.draw(z.shape)
        x = self.noise_scale * noise + (1 - self.noise_scale) * z if self.mode == "normal" else noise
        run = lambda x, t, c: self.m.transformer(x, torch.full((1, n), float(t)), positions, self.text, None, c, self.past)
        steps = []
        for i, t in enumerate(self.steps):
            x0, _ = run(x, t, context)
            steps.append(x0)
            if i + 1 < len(self.steps):
                s = sigma(self.steps[i + 1])
                x = (1 - s) * x0 + s * self.draw(z.shape)
        _, kept = run(x0, 0, None)
        per = h * w // 4
        self.past = [(k[:, -3 * per:], v[:, -3 * per:]) for k, v in kept]
        self.frame += n
        out, self.decoder = self.m.vae.decode(x0, self.decoder)
        out = ((out[0].permute(1, 2, 3, 0) + 1) * 127.5).round().clamp(0, 255).byte().numpy()
        if self.log is not None:
            self.log.setdefault("latent", []).append(z), self.log.setdefault("x0", []).append(steps)
        return out

    def run(self, frames):
        """A whole clip of 13 + 12k frames."""
        cuts = [0, *range(13, len(frames) + 1, 12)]
        return np.concatenate([self.chunk(frames[a:z]) for a, z in zip(cuts, cuts[1:])])


def exact():
    """tanh GELU in the transformer, as in the original; float32 throughout."""
    Gelu.exact = True
