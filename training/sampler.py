"""Training samples for the transformer, cut from the latent shards.

A sample is a piece of a stream: two noisy chunks, of which the second sees the last latent frame of the first one as it is, or one chunk alone. The
rows of a batch are ordered: VACE with references, VACE, Normal with references, Normal, text. Each chunk draws its own noise level: 'pure' noise,
'input' mixed with noise, or a later step, 'target' mixed with noise. Noise is the same for all frames of most samples, as in use.
"""
import dataclasses

import numpy as np
import torch

from . import dream, prompts, wish
from .palette import Palette
from .pool import Dreams
from .tokenizer import Tokenizer
from .transformer import MASK, Condition
from .vae import Z

SHARES = {"vace_reference": .08, "vace": .40, "normal_reference": .06}
TEXT_SHARE, DREAM_SHARE = .24, .35  # of all rows; of the rows of Normal mode
CHUNKS = {"start": [(0, 4), (4, 7)], "mid": [(1, 4), (4, 7)], "one4": [(0, 4)], "one3": [(4, 7)]}
GRID = {16: (16, 16), "wide": (22, 40)}
GAIN = .6  # of the noise drawn over video: enough to invent from, and much less mottle than all of it


def amount(noise_scale):
    """How much of the look Normal mode shows at a noise scale."""
    return float(np.interp(noise_scale, [.2, .35, .5], [.5, .8, 1.]))


def invention(noise_scale):
    """How much of what the noise invents Normal mode shows at a noise scale."""
    return float(np.interp(noise_scale, [.7, .9], [0, 1]))


@dataclasses.dataclass
class Row:
    mode: str
    source: torch.Tensor  # the noisy input [Z, 7, h, w]
    clean: torch.Tensor
    wishes: list  # of each chunk
    scale: float  # noise_scale
    draws: list  # noise of the first and of later steps [Z, 7, h, w]
    lead: torch.Tensor  # noise of leading frames [Z, n, h, w]
    level: tuple = None  # of the chunk before


class Sampler:
    def __init__(self, pool, seed, vocab=None):
        self.pool, self.tokenizer, self.palette = pool, Tokenizer(vocab), Palette(pool.vae)
        self.rng = np.random.default_rng(seed)
        self.torch = torch.Generator().manual_seed(seed)

    def noise(self, *shape):
        return torch.randn(*shape, generator=self.torch)

    def modes(self, b, full):
        r = self.rng
        count = lambda n, share: int(np.floor(n * share + r.random()))
        text = count(b, TEXT_SHARE) if len(self.pool.text[full]) else 0
        parts = {k: count(b - text, v) for k, v in SHARES.items()}
        parts["normal"] = max(0, b - text - sum(parts.values()))
        return [k for k, n in {**parts, "text": text}.items() for _ in range(n)][:b]

    def levels(self, mode, scale, first):
        """(sigma, t) of the chunk's first step, and of a later one or None. First chunks are more often later steps, since that is what the next
        chunk sees in use."""
        r, later = self.rng, None
        if r.random() + (.12 if first else 0) > .68:
            s = float(r.choice([.5, .75, .25, r.uniform(.08, .95)], p=[.62, .12, .12, .14]))
            later = s, 1000 * s
        if mode == "text":
            return (1., 1000.), later
        if mode.startswith("vace") and r.random() > .05:
            return (1., float(r.choice([700, 1000, 750, r.uniform(400, 1000)], p=[.6, .14, .1, .16]))), later
        return (scale, max(0., float(int(1000 * scale)) - 100)), later

    def row(self, mode, size, full, count):
        """size: side of the square cut from squares; count: references."""
        r = self.rng
        clips = (self.pool.text if mode == "text" else self.pool.looks)[full]
        scale = float(r.uniform(.55, .72) if r.random() < .5 else r.uniform(.2, .72))
        dreams = mode == "normal" and len(self.pool.dreams[full]) and r.random() < DREAM_SHARE
        if dreams:
            scale = float(r.uniform(.7, .95))
            clips = Dreams(self.pool.dreams[full], invention(scale))
        clip = int(r.integers(len(clips)))
        y, x = (0, 0) if full == "wide" else r.integers(0, (16 - size) // 2 + 1, 2) * 2
        h, w = GRID[full] if full == "wide" else (size, size)
        cut = (slice(None), slice(y, y + h), slice(x, x + w))
        first = dream.noise(clips.clips[clip][2], Z, *GRID[full])[(slice(None), *cut)] if mode == "text" or dreams else dream.smooth(self.noise(Z, 1, h, w))
        later = self.noise(Z, 1 if r.random() < .85 else 7, h, w).expand(-1, 7, -1, -1)
        if mode == "text":
            version = int(r.integers(len(clips.clips[clip][1])))
            one = wish.Wish([(prompts.sample(r, clips.clips[clip][1][version]), 1.)], clips.latents(clip, version, cut))
            return Row(mode, one.target, one.target, [one, one], scale, [dream.turned(first, 0, 7), later], None)
        draws = [GAIN * first.expand(-1, 7, -1, -1), GAIN * later]
        if mode.endswith("reference"):
            wishes = [wish.referenced(r, clips, clip, cut, self.palette, count)] * 2
        else:
            one = wish.plain(r, clips, clip, cut)
            wishes = [one, wish.plain(r, clips, clip, cut) if r.random() < .1 else one]
        return Row(mode, clips.latents(clip, 0, cut), clips.latents(clip, 1, cut), wishes, scale, draws, self.noise(Z, count, h, w))

    def chunk(self, row, number, frames, first):
        """Noisy latents and time of one chunk, the same of its first step, and the target."""
        r, cut = self.rng, (slice(None), frames)
        target, source = row.wishes[number].target[cut], row.source[cut]
        if row.mode.startswith("normal"):
            target = row.clean[cut].lerp(target, amount(row.scale))
        # half of the time both chunks are at one step, as in use, so that what differs between them is seen
        (s, time), later = row.level = row.level if row.level and r.random() < .5 else self.levels(row.mode, row.scale, first)
        begin = s * row.draws[0][cut] + (1 - s) * source
        if later is None:
            return begin, time, begin, time, target
        # as imperfect as an own prediction: a little of the input left in it, and some error
        blend = r.uniform(0, .25) if r.random() < .4 and row.mode != "text" else 0
        made = target.lerp(source, blend) + r.uniform(0, .45) * self.noise(*target.shape)
        return later[0] * row.draws[1][cut] + (1 - later[0]) * made, later[1], begin, time, target

    def batch(self, size, b, layout):
        """Layouts: 'start' (chunks of frames 0-3 and 4-6), 'mid' (1-3 and 4-6), 'one4' (0-3), 'one3'. size 8, 16 or 'wide'. Looks far from the clean
        picture (lines, high contrast) weigh less, or a few of them would make most of the loss."""
        full, chunks = "wide" if size == "wide" else 16, CHUNKS[layout]
        count = 2 if self.rng.random() < .2 else 1
        rows = [self.row(m, size, full, count) for m in self.modes(b, full)]
        base = 0 if chunks[0][0] == 0 else int(self.rng.integers(1, 40))
        made, context, spans, begin = [], [], [], 0
        for number, (a, z) in enumerate(chunks):
            of_rows = [self.chunk(row, number, slice(a, z), number == 0 and len(chunks) == 2) for row in rows]
            end = begin + z - a
            made.append([torch.stack(parts) if torch.is_tensor(parts[0]) else torch.tensor(parts)[:, None].expand(-1, z - a) for parts in zip(*of_rows)])
            context += self.conditions(rows, number, made[-1][3][:, 0] / 1000, full, slice(a, z), begin)
            spans.append((begin, end, [(begin - 1, begin)] * number + [(begin, end)]))
            begin = end
        frames = [f for a, z in chunks for f in range(a, z)]
        weight = torch.tensor([1.5 if row.mode == "text" else float((8 / (2 + (row.wishes[0].target - row.clean).square().mean())) ** .5) for row in rows])
        x, t, x_begin, t_begin, want = (torch.cat(parts, 2 if parts[0].dim() == 5 else 1) for parts in zip(*made))
        return dict(x=x, t=t, x_begin=x_begin, t_begin=t_begin, positions=[base + f for f in frames], spans=spans, context=context, target=want,
                    modes=[row.mode for row in rows], weight=weight, renoise=torch.stack([row.draws[1][:, frames] for row in rows]), **self.texts(rows, len(chunks)))

    def texts(self, rows, chunks):
        """Token ids of all prompts, and for each chunk the weights [b, prompts] that mix them; one for all chunks where no prompt changes."""
        chunks = 1 if all(row.wishes[0] is row.wishes[1] for row in rows) else chunks
        asked = [[row.wishes[k].texts for row in rows] for k in range(chunks)]
        texts = [text for of_chunk in asked for of_row in of_chunk for text, _ in of_row]
        mix, at = torch.zeros(chunks, len(rows), len(texts)), 0
        for k, of_chunk in enumerate(asked):
            for i, of_row in enumerate(of_chunk):
                for _, weight in of_row:
                    mix[k, i, at] = weight
                    at += 1
        ids, count = self.tokenizer.batch(texts)
        return dict(ids=ids, count=count, mix=mix)

    def conditions(self, rows, number, sigma, full, frames, begin):
        """What the branch sees of one chunk, for each kind of rows that has it."""
        out, n = [], frames.stop - frames.start
        for mode in SHARES:
            which = [i for i, row in enumerate(rows) if row.mode == mode]
            parts, leads = [], []
            for row, s in ((rows[i], sigma[i]) for i in which):
                h, w = row.source.shape[2:]
                shown = row.wishes[number].references
                part = [] if shown is None else [torch.cat([shown, torch.zeros(Z + MASK, shown.shape[1], h, w)])]
                if mode != "normal_reference":
                    part.append(torch.cat([self.pool.grey[full][:, frames, :h, :w], row.source[:, frames], torch.ones(MASK, n, h, w)]))
                parts.append(torch.cat(part, 1))
                if mode == "vace_reference":
                    leads.append(torch.lerp(shown, row.lead, s))
            if which:
                out.append(Condition(slice(which[0], which[-1] + 1), begin, begin + n, torch.stack(parts), torch.stack(leads) if leads else None))
        return out
