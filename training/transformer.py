"""The video transformer with its VACE branch: Wan's blocks at toy size, head predicting clean latents.

One forward serves training and streaming. The frames of a call are cut into spans (chunks); the queries of a span attend to the frames listed with
it, and to keys and values kept from earlier calls if given; every span may have a prompt of its own. Latents are divided and multiplied by fixed
per-channel scales at the two ends, so that training sees unit-sized numbers; `fold` moves these scales into the weights.
"""
import collections

import torch
import torch.nn as nn
import torch.nn.functional as F

from .text_encoder import Rms, gelu_tanh

Z, D, FFN, HEADS, LAYERS, FREQ, TEXT, EPS = 64, 256, 1024, 4, 4, 128, 128, 1e-6
VACE_LAYERS, VACE_IN, MASK = (0, 2), 192, 64
HEAD = D // HEADS

# What the branch sees of frames first to last of some rows (a slice): latents [rows, VACE_IN, frames, h, w], of which those beyond the noisy frames
# come first and have noisy latents of their own, lead [rows, Z, frames - (last - first), h, w]; fewer than last - first are followed by zero tokens.
Condition = collections.namedtuple("Condition", "rows first last latents lead", defaults=(None,))


class Gelu(nn.Module):
    """erf in training (fast), tanh when exact."""
    exact = False

    def forward(self, x):
        return gelu_tanh(x) if Gelu.exact else F.gelu(x)


def rope(positions, gh, gw):
    """cos, sin [frames*gh*gw, 64] for interleaved pairs; time, row and column parts of 24, 20 and 20 channels."""
    parts = []
    axes = (torch.as_tensor(positions).view(-1, 1, 1), torch.arange(gh).view(1, -1, 1), torch.arange(gw).view(1, 1, -1))
    for axis, size in zip(axes, (HEAD - 4 * (HEAD // 6), 2 * (HEAD // 6), 2 * (HEAD // 6))):
        theta = 10000. ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)
        parts.append((axis[..., None].double() * theta).expand(len(axes[0]), gh, gw, -1))
    angle = torch.cat(parts, -1).reshape(-1, HEAD // 2).repeat_interleave(2, 1)
    sign = torch.tensor([-1., 1.]).repeat(HEAD // 2)
    return angle.cos().float(), (angle.sin() * sign).float()


def rotate(x, table):
    """x [b, n, heads, 64]"""
    cos, sin = (t.to(x.dtype)[None, :, None] for t in table)
    return x * cos + x.view(*x.shape[:-1], -1, 2).flip(-1).view_as(x) * sin


def attend(q, k, v):
    q, k, v = (t.transpose(1, 2) for t in (q, k, v))
    p = (q @ k.transpose(2, 3) * HEAD ** -.5).float().softmax(-1).to(v.dtype)
    return (p @ v).transpose(1, 2).flatten(2)


class SelfAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q, self.k, self.v, self.o = (nn.Linear(D, D) for _ in range(4))
        self.norm_q, self.norm_k = Rms(D), Rms(D)

    def project(self, x):
        b, n, _ = x.shape
        return self.norm_q(self.q(x)).view(b, n, HEADS, HEAD), self.norm_k(self.k(x)).view(b, n, HEADS, HEAD), self.v(x).view(b, n, HEADS, HEAD)

    def forward(self, x, table, spans, past):
        """spans: list of (slice of queries, list of slices of keys), in tokens; past: earlier (k, v) or None."""
        q, k, v = self.project(x)
        q, k = rotate(q, table), rotate(k, table)
        out = []
        for queries, keys in spans:
            kk, vv = [k[:, s] for s in keys], [v[:, s] for s in keys]
            if past is not None:
                kk, vv = [past[0], *kk], [past[1], *vv]
            join = lambda t: t[0] if len(t) == 1 else torch.cat(t, 1)
            out.append(attend(q[:, queries], join(kk), join(vv)))
        return self.o(out[0] if len(out) == 1 else torch.cat(out, 1)), (k, v)


class CrossAttention(SelfAttention):
    def forward(self, x, text):
        b, n, _ = x.shape
        m = text.shape[1]
        q = self.norm_q(self.q(x)).view(b, n, HEADS, HEAD)
        k, v = self.norm_k(self.k(text)).view(b, m, HEADS, HEAD), self.v(text).view(b, m, HEADS, HEAD)
        return self.o(attend(q, k, v))

    def spans(self, x, texts, cuts):
        """Each span of queries with its own text."""
        return self(x, texts[0]) if len(texts) == 1 else torch.cat([self(x[:, s], t) for t, s in zip(texts, cuts)], 1)


def norm(x):
    return F.layer_norm(x, (D,), eps=EPS)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.self_attn, self.cross_attn = SelfAttention(), CrossAttention()
        self.norm3 = nn.LayerNorm(D, eps=EPS)
        self.ffn = nn.Sequential(nn.Linear(D, FFN), Gelu(), nn.Linear(FFN, D))
        self.modulation = nn.Parameter(torch.randn(1, 6, D) / D ** .5)

    def forward(self, x, e0, texts, table, spans, past=None):
        """x [b, n, D]; e0 [b, f, 6, D]; texts [b, L, D], one for all or one a span."""
        b, f = e0.shape[:2]
        m = (self.modulation + e0).unsqueeze(3).unbind(2)
        rows = lambda t: t.view(b, f, -1, D)
        y = (rows(norm(x)) * (1 + m[1]) + m[0]).flatten(1, 2)
        y, kept = self.self_attn(y, table, spans, past)
        x = x + (rows(y) * m[2]).flatten(1, 2)
        x = x + self.cross_attn.spans(self.norm3(x), texts, [s for s, _ in spans])
        y = self.ffn((rows(norm(x)) * (1 + m[4]) + m[3]).flatten(1, 2))
        return x + (rows(y) * m[5]).flatten(1, 2), kept


class VaceBlock(Block):
    def __init__(self, first):
        super().__init__()
        if first:
            self.before_proj = nn.Linear(D, D)
        self.after_proj = nn.Linear(D, D)


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(D, Z * 4)
        self.modulation = nn.Parameter(torch.randn(1, 2, D) / D ** .5)


def patches(x):
    """[b, c, f, h, w] -> [b, tokens, c*4] in (channel, py, px) order."""
    b, c, f, h, w = x.shape
    return x.view(b, c, f, h // 2, 2, w // 2, 2).permute(0, 2, 3, 5, 1, 4, 6).reshape(b, -1, c * 4)


class Transformer(nn.Module):
    def __init__(self, scale=None):
        super().__init__()
        self.patch_embedding, self.vace_patch_embedding = nn.Linear(Z * 4, D), nn.Linear(VACE_IN * 4, D)
        self.text_embedding = nn.Sequential(nn.Linear(TEXT, D), Gelu(), nn.Linear(D, D))
        self.time_embedding = nn.Sequential(nn.Linear(FREQ, D), nn.SiLU(), nn.Linear(D, D))
        self.time_projection = nn.Sequential(nn.SiLU(), nn.Linear(D, 6 * D))
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.vace_blocks = nn.ModuleList(VaceBlock(i == 0) for i in range(len(VACE_LAYERS)))
        self.head = Head()
        nn.init.eye_(self.vace_blocks[0].before_proj.weight)
        s = torch.ones(Z) if scale is None else scale
        self.register_buffer("scale_in", ((s * s + 1) / 2).sqrt()), self.register_buffer("scale_out", s.clone())

    @torch.no_grad()
    def fold(self):
        i, o = self.scale_in.repeat_interleave(4), self.scale_out
        self.patch_embedding.weight /= i
        self.vace_patch_embedding.weight[:, :Z * 8] /= o.repeat_interleave(4).repeat(2)
        self.head.head.weight *= o.repeat(4)[:, None]
        self.head.head.bias *= o.repeat(4)
        self.scale_in.fill_(1), self.scale_out.fill_(1)
        return self

    def embed(self, x):
        return self.patch_embedding(patches(x / self.scale_in.view(1, -1, 1, 1, 1))).float()

    def hints(self, c, embedded, e0, words, grid):
        """Of one condition: what is added to its frames after each VACE layer."""
        gh, gw, n = *grid, grid[0] * grid[1]
        ctx = c.latents.clone()
        ctx[:, :2 * Z] /= self.scale_out.repeat(2).view(1, -1, 1, 1, 1)
        u = self.vace_patch_embedding(patches(ctx))
        x, e = embedded[c.rows, c.first * n:c.last * n], e0[c.rows, c.first:c.last]
        lead = 0 if c.lead is None else c.lead.shape[2]
        if lead:
            x, e = torch.cat([self.embed(c.lead), x], 1), torch.cat([e[:, :1].expand(-1, lead, -1, -1), e], 1)
        u = F.pad(u, (0, 0, 0, x.shape[1] - u.shape[1]))
        u = self.vace_blocks[0].before_proj(u).float() + x
        own, out = [t.to(x.device) for t in rope(range(e.shape[1]), gh, gw)], []
        for block in self.vace_blocks:
            u, _ = block(u, e, [words[c.rows]], own, [(slice(None), [slice(None)])])
            out.append(block.after_proj(u[:, lead * n:]).float())
        return out

    def times(self, t):
        """t [b, f] -> embedding [b, f, D] and its projection [b, f, 6, D]."""
        a = t.double()[..., None] * 10000. ** (-torch.arange(FREQ // 2, dtype=torch.float64, device=t.device) / (FREQ // 2))
        e = self.time_embedding(torch.cat([a.cos(), a.sin()], -1).float()).float()
        return e, self.time_projection(e).float().view(*t.shape, 6, D)

    def forward(self, x, t, positions, texts, spans=None, context=None, past=None, begin=None):
        """x [b, Z, f, h, w], t [b, f], positions [f], texts a list of [b, L, TEXT], one for all or one a span; spans [(first, last, [(first, last),
        ..])] in frames; context a list of conditions; begin: x and t of the chunk's first step, whose hints serve all of its steps (None: this is the
        first). Returns x0 and each layer's (k, v)."""
        b, c, f, h, w = x.shape
        gh, gw = h // 2, w // 2
        n = gh * gw
        embedded = self.embed(x)
        e, e0 = self.times(t)
        of_hints = (embedded, e0) if begin is None or not context else (self.embed(begin[0]), self.times(begin[1])[1])
        words = [self.text_embedding(text) for text in texts]
        cut = lambda s: slice(s[0] * n, s[1] * n)
        spans = [(0, f, [(0, f)])] if spans is None else spans
        token_spans = [(cut(s), [cut(k) for k in s[2]]) for s in spans]
        hints = []
        for part in context or []:
            mine = words[0] if len(words) == 1 else words[[s[0] for s in spans].index(part.first)]
            hints.append((part.rows, cut((part.first, part.last)), self.hints(part, *of_hints, mine, (gh, gw))))
        table, kept, v = [t.to(x.device) for t in rope(positions, gh, gw)], [], embedded
        for i, block in enumerate(self.blocks):
            v, kv = block(v, e0, words, table, token_spans, None if past is None else past[i])
            kept.append(kv)
            if i in VACE_LAYERS and hints:
                v = v.clone()
                for rows, where, hint in hints:
                    v[rows, where] += hint[VACE_LAYERS.index(i)]
        m = self.head.modulation + e.unsqueeze(2)
        y = self.head.head((norm(v).view(b, f, n, D) * (1 + m[:, :, 1:2]) + m[:, :, :1]))
        y = y.float().view(b, f, gh, gw, 2, 2, Z).permute(0, 6, 1, 2, 4, 3, 5).reshape(b, Z, f, h, w)
        return y * self.scale_out.view(1, -1, 1, 1, 1), kept
