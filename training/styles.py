"""The looks the model learns, as deterministic operators on one picture at a time.

Every operator takes and returns RGB [n, 3, h, w] in 0..1 and depends only on a small neighbourhood. Strokes and hatching repeat every 16 pixels, the
size of one transformer token, so that the network, which does not know absolute positions, can reproduce them. Sizes suit pictures of about 320x176.
"""
import math

import numpy as np
import torch
import torch.nn.functional as F


def blur(x, sigma):
    r = max(1, int(2.5 * sigma + .5))
    k = torch.exp(-torch.arange(-r, r + 1.) ** 2 / (2 * sigma * sigma))
    k = (k / k.sum()).expand(x.shape[1], 1, -1)
    x = F.conv2d(F.pad(x, (r, r, 0, 0), mode="replicate"), k[:, :, None], groups=x.shape[1])
    return F.conv2d(F.pad(x, (0, 0, r, r), mode="replicate"), k[..., None], groups=x.shape[1])


def luma(x):
    return x[:, :1] * .299 + x[:, 1:2] * .587 + x[:, 2:] * .114


def step(low, high, x):
    t = ((x - low) / (high - low)).clamp(0, 1)
    return t * t * (3 - 2 * t)


def palette(t, colours):
    """Piecewise linear colour map; t [n, 1, h, w] in 0..1, colours equally spaced."""
    c = torch.tensor(colours)
    t = t.clamp(0, 1)[:, 0] * (len(c) - 1)
    i = t.long().clamp(max=len(c) - 2)
    f = (t - i)[..., None]
    return (c[i] * (1 - f) + c[i + 1] * f).permute(0, 3, 1, 2)


def saturate(x, amount):
    l = luma(x)
    return (l + (x - l) * amount).clamp(0, 1)


def contrast(x, amount):
    """Blend with an S curve."""
    return x + amount * (x * x * (3 - 2 * x) - x)


def edges(x, sigma=.8):
    """Largest Sobel magnitude of the three channels; a step of height 1 gives about 1."""
    p = F.pad(blur(x, sigma), (1, 1, 1, 1), mode="replicate")
    dx, dy = p[:, :, :, 2:] - p[:, :, :, :-2], p[:, :, 2:] - p[:, :, :-2]
    gx = (dx[:, :, :-2] + 2 * dx[:, :, 1:-1] + dx[:, :, 2:]) / 4
    gy = (dy[..., :-2] + 2 * dy[..., 1:-1] + dy[..., 2:]) / 4
    return (gx * gx + gy * gy + 1e-8).sqrt().amax(1, keepdim=True)


def kuwahara(x, r):
    """Each pixel takes the mean of the calmest of its four (r+1)^2 corner windows, softly."""
    p = F.pad(x, (r, r, r, r), mode="replicate")
    h, w = x.shape[2:]
    mean, square = F.avg_pool2d(p, r + 1, 1), F.avg_pool2d((p * p).mean(1, keepdim=True), r + 1, 1)
    var = (square - (mean * mean).mean(1, keepdim=True)).clamp_min(0)
    top, weight = 0, 0
    for dy in (0, r):
        for dx in (0, r):
            k = 1 / (1e-4 + var[:, :, dy:dy + h, dx:dx + w]) ** 2
            top, weight = top + mean[:, :, dy:dy + h, dx:dx + w] * k, weight + k
    return top / weight


def photo(x):
    return x


def bw(x):
    return contrast(luma(x), .35).expand(-1, 3, -1, -1)


def sepia(x):
    return palette(contrast(luma(x), .2), [[.09, .055, .03], [.36, .235, .125], [.62, .455, .28], [.86, .715, .51], [1., .93, .77]])


def thermal(x):
    b = blur(x, 1.2)
    heat = .06 + .8 * luma(b) + .38 * (b[:, :1] - b[:, 2:])
    return palette(contrast(heat.clamp(0, 1), .6), [[.0, .0, .06], [.14, .02, .42], [.48, .03, .58], [.83, .16, .36], [.97, .45, .08], [1., .78, .13], [1., 1., .82]])


def neon(x):
    e = step(.05, .30, edges(x, 1.0))
    b = blur(x, 2.0)
    warm = torch.sigmoid(7 * (b[:, :1] - b[:, 2:]) + 4 * (luma(b) - .45))
    tint = warm * torch.tensor([1., .12, .80]).view(1, 3, 1, 1) + (1 - warm) * torch.tensor([.05, .88, 1.]).view(1, 3, 1, 1)
    line = e * tint
    l = contrast(luma(blur(x, .7)), .5)
    base = palette(l, [[.015, .01, .05], [.07, .02, .19], [.20, .05, .38], [.42, .12, .58]])
    return (base * (1 - .7 * e) + line + .75 * blur(line, 3) + .25 * e ** 3).clamp(0, 1)


def sketch(x):
    h, w = x.shape[2:]
    y, u = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
    wave = lambda k: .5 + .5 * torch.cos(k * 2 * math.pi / 16)
    l = contrast(luma(blur(x, .7)), .3)
    dark = 1 - l
    hatch = wave(3 * (u + y)) * step(.25, .75, dark) + wave(3 * (u - y)) * step(.55, .95, dark)
    line = (.75 * step(.05, .40, edges(x, .5)) + .55 * step(.02, .10, blur(luma(x), 2) - luma(blur(x, .5)))).clamp(0, .92)
    tone = .97 - .42 * step(.1, 1, dark) * dark - .15 * hatch
    v = tone * (1 - line)
    return v * torch.tensor([1., .99, .965]).view(1, 3, 1, 1) + .02


def dabs():
    """Tile-periodic brush strokes: for each pixel of a 16x16 tile the offset to its stroke's centre, and the stroke's relief."""
    rng = np.random.default_rng(5)
    best, shift, relief = np.full((16, 16), 1e9), np.zeros((16, 16, 2), int), np.zeros((16, 16))
    yy, xx = np.mgrid[:16, :16]
    centres = [(2, 3), (1, 11), (6, 7), (7, 15), (11, 3), (10, 11), (15, 7), (14, 15)]
    for n, (cy, cx) in enumerate(centres):
        cy, cx, a, lift = cy + rng.uniform(-1, 1), cx + rng.uniform(-1, 1), -.75 + rng.uniform(-.35, .35), rng.uniform(-.06, .06)
        dy, dx = (yy - cy + 8) % 16 - 8, (xx - cx + 8) % 16 - 8
        s, t = dx * math.cos(a) + dy * math.sin(a), -dx * math.sin(a) + dy * math.cos(a)
        d = (s / 7.5) ** 2 + (t / 2.6) ** 2 + rng.uniform(0, .1)
        take = d < best
        best[take] = d[take]
        relief[take] = (lift - .07 * t + .03 * np.cos(t * 2.6))[take]
        shift[take] = np.stack([-np.round(dy * .5), -np.round(dx * .5)], -1)[take]
    return torch.from_numpy(shift), torch.from_numpy(relief).float()


SHIFT, RELIEF = dabs()


def oil(x):
    h, w = x.shape[2:]
    k = kuwahara(kuwahara(blur(x, .5), 3), 3)
    tile = SHIFT.repeat(h // 16 + 1, w // 16 + 1, 1)[:h, :w]
    yy, xx = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
    d = k[:, :, (yy + tile[..., 0]).clamp(0, h - 1), (xx + tile[..., 1]).clamp(0, w - 1)]
    d = .7 * d + .3 * k
    l = blur(luma(k), 1)
    ridge = (l - torch.roll(blur(luma(d), .8), (1, 1), (2, 3))) * 1.2
    relief = RELIEF.repeat(h // 16 + 1, w // 16 + 1)[:h, :w] * (.35 + .65 * (4 * l * (1 - l)))
    v = saturate(contrast(d, .5), 1.45)
    v = v * torch.tensor([1.06, 1., .92]).view(1, 3, 1, 1) + .02
    return (v * (1 + .55 * relief) + ridge.clamp(-.15, .15)).clamp(0, 1)


def anime(x):
    k = kuwahara(kuwahara(blur(x, .5), 3), 4)
    l = luma(k)
    s = l * 4
    flat = (s.floor() + step(.38, .62, s - s.floor())) / 4
    v = k * ((.12 + .9 * flat + .05) / (l + .08)).clamp(.4, 2.2)
    v = saturate(v.clamp(0, 1), 1.6)
    line = step(.12, .34, edges(x, .75)) * .92
    return v * (1 - line) + line * torch.tensor([.07, .04, .11]).view(1, 3, 1, 1)


STYLES = {"photo": photo, "bw": bw, "sepia": sepia, "sketch": sketch, "neon": neon, "thermal": thermal, "oil": oil, "anime": anime}
NAMES = list(STYLES)
