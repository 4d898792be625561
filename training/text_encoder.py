"""A two-layer T5-style text encoder, trained from scratch together with the transformer; parameter names follow umT5."""
import math

import torch
import torch.nn as nn

from .tokenizer import LENGTH

DIM, FFN, HEADS, LAYERS, BUCKETS = 128, 256, 2, 2, 32


def gelu_tanh(x):
    return .5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + .044715 * x ** 3)))


class Rms(nn.Module):
    def __init__(self, dim, eps=1e-6):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(dim)), eps

    def forward(self, x):
        return x * torch.rsqrt(x.float().square().mean(-1, keepdim=True) + self.eps).to(x.dtype) * self.weight.to(x.dtype)


def buckets(n):
    rel = torch.arange(n)[None] - torch.arange(n)[:, None]
    r = rel.abs()
    far = 8 + (torch.log(r.clamp_min(1).float() / 8) / math.log(16) * 8).trunc().long()
    return (rel > 0) * 16 + torch.where(r < 8, r, far.clamp(max=15))


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q, self.k, self.v, self.o = (nn.Linear(DIM, DIM, bias=False) for _ in range(4))

    def forward(self, x, bias):
        b, n, _ = x.shape
        q, k, v = (f(x).view(b, n, HEADS, -1).transpose(1, 2) for f in (self.q, self.k, self.v))
        p = (q @ k.transpose(2, 3) + bias).softmax(-1)
        return self.o((p @ v).transpose(1, 2).reshape(b, n, DIM))


class FeedForward(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate = nn.Sequential(nn.Linear(DIM, FFN, bias=False))
        self.fc1, self.fc2 = nn.Linear(DIM, FFN, bias=False), nn.Linear(FFN, DIM, bias=False)

    def forward(self, x):
        return self.fc2(self.fc1(x) * gelu_tanh(self.gate(x)))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2, self.attn, self.ffn = Rms(DIM), Rms(DIM), Attention(), FeedForward()
        self.pos_embedding = nn.Module()
        self.pos_embedding.embedding = nn.Embedding(BUCKETS, HEADS)
        nn.init.normal_(self.pos_embedding.embedding.weight, std=.2)
        for m in (self.attn.q, self.attn.k):
            nn.init.normal_(m.weight, std=DIM ** -.5 * .35)


class TextEncoder(nn.Module):
    def __init__(self, words):
        super().__init__()
        self.token_embedding = nn.Embedding(words, DIM)
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.norm = Rms(DIM)
        self.register_buffer("buckets", buckets(LENGTH), persistent=False)

    def forward(self, ids, count):
        """ids [n, LENGTH], count [n] -> [n, LENGTH, DIM] with rows beyond count zero."""
        keep = torch.arange(LENGTH, device=ids.device)[None] < count[:, None]
        x = self.token_embedding(ids)
        for block in self.blocks:
            bias = block.pos_embedding.embedding(self.buckets).permute(2, 0, 1)[None]
            bias = bias.masked_fill(~keep[:, None, None], -1e30)
            x = x + block.attn(block.norm1(x), bias)
            x = x + block.ffn(block.norm2(x))
        return self.norm(x) * keep[..., None]
