"""Training samples for the transformer, cut from the latent shards.

A sample is a piece of a stream: two noisy chunks and the clean first chunk that the second one sees, or one noisy chunk alone. Within a batch the
first rows are VACE samples (they have a context), then Normal ones (noised input), then text only; each noisy chunk draws its own noise level:
VACE starts from pure noise, Normal from the input mixed with noise, and both have second-step samples around the styled target.
"""
import glob

import numpy as np
import torch

from . import prompts
from .data import CACHE
from .styles import NAMES
from .tokenizer import Tokenizer
from .vae import Vae


HELD_OUT = 152


class Pool:
    """All latents in memory, f16 [versions, 48, 7, h, w] per clip; shards from HELD_OUT on are for testing only."""

    def __init__(self, held_out=False):
        self.square, self.wide, self.seen, self.held_out = [], [], set(), held_out
        self.refresh()
        self.vae = Vae.load(CACHE / "vae.pt")
        self.grey = {s: self.vae.grey(7, *s).detach()[0] for s in ((16, 16), (22, 40))}


    def refresh(self):
        """Takes in the shards that are new since the last call."""
        for f in sorted(set(glob.glob(str(CACHE / "latents-*.npy"))) - self.seen):
            self.seen.add(f)
            if (int(f[-8:-4]) >= HELD_OUT) == self.held_out:
                a = torch.from_numpy(np.load(f))
                (self.wide if a.shape[-1] == 40 else self.square).extend(a)


class Sampler:
    def __init__(self, pool, seed):
        self.pool, self.tokenizer = pool, Tokenizer()
        self.rng = np.random.default_rng(seed)
        self.torch = torch.Generator().manual_seed(seed)

    def noise(self, like):
        return torch.randn(like.shape, generator=self.torch)

    def level(self, mode, late):
        """(kind, sigma, t): kind 'pure', 'input' or 'target' says what is mixed with the noise."""
        r = self.rng
        u = r.random()
        if mode == "text":
            t = float(r.choice([1000, 750, 500, 250], p=[.6, .2, .1, .1]))
            return "target", t / 1000, t
        if mode == "vace":
            if u < .62:
                return "pure", 1., float(r.choice([700, 1000, 750, r.uniform(400, 1000)], p=[.6, .12, .1, .18]))
            if u < .90:
                s = .5 if r.random() < .65 else r.uniform(.1, .95)
                return "target", s, 1000 * s
        elif u > .70:
            s = .5 if r.random() < .75 else r.uniform(.2, .75)
            return "target", s, 1000 * s
        s = r.uniform(.55, .85) if r.random() < .65 else r.uniform(.2, .9)
        return "input", s, max(0., float(int(1000 * s)) - 100 + r.uniform(-20, 20))

    def batch(self, size, b, layout, late=False):
        """Layouts: 'start' (chunks of frames 0-3 and 4-6), 'mid' (1-3 and 4-6), 'one4' (0-3), 'one3'. size 8, 16 or 'wide'."""
        r = self.rng
        clips = self.pool.wide if size == "wide" else self.pool.square
        h, w = (22, 40) if size == "wide" else (size, size)
        source, target, other, grey, texts = [], [], [], [], []
        for _ in range(b):
            c = clips[r.integers(len(clips))]
            y, x = (0, 0) if size == "wide" else r.integers(0, (16 - size) // 2 + 1, 2) * 2
            style = int(r.integers(len(NAMES)))
            cut = lambda v: v[..., y:y + h, x:x + w].float()
            source.append(cut(c[0])), target.append(cut(c[1 + style]))
            other.append(cut(c[1 + int(r.integers(len(NAMES)))]) if r.random() < .12 else target[-1])
            grey.append(cut(self.pool.grey[(22, 40) if size == "wide" else (16, 16)]))
            texts.append(prompts.sample(r, NAMES[style]))
        source, target, other, grey = map(torch.stack, (source, target, other, grey))
        chunks = {"start": [(0, 4), (4, 7)], "mid": [(1, 4), (4, 7)], "one4": [(0, 4)], "one3": [[(1, 4), (4, 7)][int(r.integers(2))]]}[layout]
        vace = int(np.floor(b * .46 + r.random()))
        text_only = int(np.floor(b * .03 + r.random())) if b > 2 else 0
        modes = ["vace"] * vace + ["normal"] * (b - vace - text_only) + ["text"] * text_only
        x, t, context, ends, begin = [], [], [], [], 0
        base = 0 if chunks[0][0] == 0 else int(r.integers(1, 40))
        positions = []
        for a, z in chunks:
            noise = self.noise(target[:, :, a:z])
            rows, times = torch.empty_like(noise), []
            for i, mode in enumerate(modes):
                kind, s, time = self.level(mode, late)
                tgt = target[i, :, a:z]
                if kind == "target" and mode != "text":
                    blend = r.uniform(0, .25) if r.random() < .4 else 0
                    tgt = tgt * (1 - blend) + blend * source[i, :, a:z] + r.uniform(0, .5) * self.noise(tgt)
                mix = source[i, :, a:z] if kind == "input" else tgt
                rows[i] = noise[i] if kind == "pure" else s * noise[i] + (1 - s) * mix
                times.append(time)
            x.append(rows), t.append(torch.tensor(times)[:, None].expand(-1, z - a))
            n = z - a
            if vace:
                m = torch.ones(vace, 64, n, h, w)
                context.append((slice(0, vace), begin, begin + n, torch.cat([grey[:vace, :, a:z], source[:vace, :, a:z], m], 1)))
            positions += range(base + a, base + z)
            ends.append((begin, begin + n)), (begin := begin + n)
        noisy = begin
        spans = [(*ends[0], [ends[0]])]
        if len(chunks) == 2:
            a, z = chunks[0]
            clean = other[:, :, a:z]
            strength = torch.rand(b, 1, 1, 1, 1, generator=self.torch) * .6
            x.append(clean + strength * self.noise(clean)), t.append(torch.zeros(b, z - a))
            last = (begin + z - a - 3, begin + z - a)
            spans += [(*ends[1], [last, ends[1]]), (begin, begin + z - a, [(begin, begin + z - a)])]
            positions += range(base + a, base + z)
        ids, count = self.tokenizer.batch(texts)
        want = torch.cat([target[:, :, a:z] for a, z in chunks], 2)
        return dict(x=torch.cat(x, 2), t=torch.cat(t, 1), positions=positions, spans=spans, context=context, ids=ids, count=count, target=want,
                    noisy=noisy, chunks=ends, vace=vace, text_only=text_only)
