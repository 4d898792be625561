"""What operators are made of: tones, edges, flattening, and patterns that repeat every 16 pixels."""
import functools
import math

import numpy as np
import torch
import torch.nn.functional as F

TILE = 16


def rgb(r, g, b, like):
    return torch.tensor([r, g, b], device=like.device).view(1, 3, 1, 1)


def smear(x, weights, dim):
    """Weighted sum of shifted copies along dim (2 or 3), weights around the middle; ten times faster on a CPU than a grouped convolution."""
    n = x.shape[dim]
    r = len(weights) // 2
    p = F.pad(x, (r, r, 0, 0) if dim == 3 else (0, 0, r, r), mode="replicate")
    out = p.narrow(dim, r, n) * weights[r]
    for i in range(r):
        if weights[i] == weights[-1 - i]:
            out.add_(p.narrow(dim, i, n) + p.narrow(dim, 2 * r - i, n), alpha=weights[i])
        else:
            out.add_(p.narrow(dim, i, n), alpha=weights[i]).add_(p.narrow(dim, 2 * r - i, n), alpha=weights[-1 - i])
    return out


def blur(x, sigma):
    r = max(1, int(2.3 * sigma + .5))
    k = [math.exp(-i * i / (2 * sigma * sigma)) for i in range(-r, r + 1)]
    k = [v / sum(k) for v in k]
    return smear(smear(x, k, 3), k, 2)


def glow(x, sigma):
    """A wide blur, made at quarter size; height and width must divide by 4."""
    return F.interpolate(blur(F.avg_pool2d(x, 4), sigma / 4), scale_factor=4, mode="bilinear", align_corners=False)


def luma(x):
    return x[:, :1] * .299 + x[:, 1:2] * .587 + x[:, 2:] * .114


def step(low, high, x):
    t = ((x - low) / (high - low)).clamp(0, 1)
    return t * t * (3 - 2 * t)


def mix(a, b, amount):
    return a + (b - a) * amount


@functools.lru_cache(None)
def ramp(colours, device):
    """1024 colours [1024, 3] between equally spaced ones."""
    c = torch.tensor(colours).t()[None]
    return F.interpolate(c, 1024, mode="linear", align_corners=True)[0].t().contiguous().to(device)


def palette(t, *colours):
    """Piecewise linear colour map; t [n, 1, h, w] in 0..1, colours equally spaced."""
    return F.embedding((t[:, 0].clamp(0, 1) * 1023 + .5).long(), ramp(colours, t.device)).permute(0, 3, 1, 2).contiguous()


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
    return ((gx * gx + gy * gy).amax(1, keepdim=True) + 1e-8).sqrt()


def emboss(l, reach=1):
    """Light from the upper left on the relief l."""
    p = F.pad(l, (reach, reach, reach, reach), mode="replicate")
    return p[:, :, 2 * reach:, 2 * reach:] - p[:, :, :-2 * reach, :-2 * reach]


def kuwahara(x, r):
    """Each pixel takes the mean of the calmest of its four (r+1)^2 corner windows, softly."""
    p = F.pad(x, (r, r, r, r), mode="replicate")
    h, w = x.shape[2:]
    both = torch.cat([p, (p * p).mean(1, keepdim=True)], 1)
    for dim in (3, 2):
        both = sum(both.narrow(dim, i, both.shape[dim] - r) for i in range(r + 1)) / (r + 1)
    mean, square = both[:, :3], both[:, 3:]
    weight = (1e-4 + (square - (mean * mean).mean(1, keepdim=True)).clamp_min(0)).square().reciprocal()
    mean = mean * weight
    total = lambda v: sum(v[:, :, dy:dy + h, dx:dx + w] for dy in (0, r) for dx in (0, r))
    return total(mean) / total(weight)


def tiled(pattern, x):
    """A pattern [..., 16, 16] laid over the whole picture from its upper left corner: [1, c, h, w]."""
    h, w = x.shape[2:]
    p = torch.as_tensor(pattern, dtype=torch.float32, device=x.device).reshape(1, -1, TILE, TILE)
    return p.repeat(1, 1, h // TILE + 1, w // TILE + 1)[:, :, :h, :w]


def moved(x, shift):
    """Every pixel looks its colour up at an offset (dy, dx), a pattern [2, 16, 16] of pixels."""
    h, w = x.shape[2:]
    s = tiled(shift, x)[0].round().long()
    y = (torch.arange(h, device=x.device)[:, None] + s[0]).clamp(0, h - 1)
    u = (torch.arange(w, device=x.device) + s[1]).clamp(0, w - 1)
    return x.flatten(2).index_select(2, (y * w + u).flatten()).view(x.shape)


def cells(x, size):
    """Means of squares."""
    return F.avg_pool2d(x, size).repeat_interleave(size, 2).repeat_interleave(size, 3)


YY, XX = np.mgrid[:TILE, :TILE].astype(np.float32)


def wave(y, x, phase=0.):
    """0..1, with y and x periods in a tile."""
    return .5 + .5 * np.cos((y * YY + x * XX) * 2 * math.pi / TILE + phase)


def grain(seed, power=0., along=0):
    """Periodic noise [16, 16], zero mean, unit deviation, with a 1/f^power spectrum; `along` pixels of smear make diagonal strokes."""
    f = np.hypot(np.fft.fftfreq(TILE)[:, None], np.fft.fftfreq(TILE)[None]) * TILE
    n = np.random.default_rng(seed).standard_normal((TILE, TILE))
    n = np.fft.ifft2(np.fft.fft2(n) / np.maximum(f, 1) ** power).real
    n = sum((np.roll(n, (i, -i), (0, 1)) for i in range(along)), n)
    n = n - n.mean()
    return (n / n.std()).astype(np.float32)


def wrapped(d):
    return (d + TILE / 2) % TILE - TILE / 2


def even(seed, grid):
    """grid^2 evenly strewn centres (y, x) in a tile."""
    rng = np.random.default_rng(seed)
    side = TILE / grid
    return [((i + .5 + rng.uniform(-.3, .3)) * side, (j + (.25 if i % 2 else .75) + rng.uniform(-.3, .3)) * side) for i in range(grid) for j in range(grid)]


def voronoi(centres):
    """Cells around the centres: (shift to the own centre [2, 16, 16], distance to the border, a value in -1..1 of each cell)."""
    values = np.linspace(-1, 1, len(centres))
    dy = np.stack([wrapped(cy - YY) for cy, _ in centres])
    dx = np.stack([wrapped(cx - XX) for _, cx in centres])
    d = np.hypot(dy, dx)
    own = d.argmin(0)
    near = np.sort(d, 0)
    pick = lambda a: np.take_along_axis(a, own[None], 0)[0]
    return np.stack([pick(dy), pick(dx)]), (near[1] - near[0]).astype(np.float32), values[own].astype(np.float32)


def triangles(seed):
    """Eight uneven triangles a tile: (shift to the own middle [2, 16, 16], the light on each facet in -1..1)."""
    rng = np.random.default_rng(seed)
    jitter = rng.uniform(-2.4, 2.4, (2, 2, 2))
    corner = lambda i, j: np.array([i * 8, j * 8]) + jitter[i % 2, j % 2]
    shift, light = np.zeros((2, TILE, TILE), np.float32), np.zeros((TILE, TILE), np.float32)
    lights = rng.permutation(np.linspace(-1, 1, 8))
    cross = lambda a, b: (b[0] - a[0]) * (XX - a[1]) - (b[1] - a[1]) * (YY - a[0])
    for i in range(-1, 3):
        for j in range(-1, 3):
            a, b, c, d = corner(i, j), corner(i, j + 1), corner(i + 1, j), corner(i + 1, j + 1)
            halves = ((a, b, c), (b, d, c)) if (i + j) % 2 else ((a, b, d), (a, d, c))
            for n, t in enumerate(halves):
                s = [cross(t[k], t[(k + 1) % 3]) for k in range(3)]
                inside = ((s[0] >= 0) & (s[1] >= 0) & (s[2] >= 0)) | ((s[0] <= 0) & (s[1] <= 0) & (s[2] <= 0))
                middle = sum(t) / 3
                shift[0][inside], shift[1][inside] = (middle[0] - YY)[inside], (middle[1] - XX)[inside]
                light[inside] = lights[(i % 2 * 2 + j % 2) * 2 + n]
    return shift, light


def dabs(seed, length, width):
    """Overlapping brush strokes: (shift to the own stroke's middle, the paint's relief, a value in -1..1 of each stroke)."""
    rng = np.random.default_rng(seed)
    best = np.full((TILE, TILE), 1e9)
    shift, relief, value = np.zeros((2, TILE, TILE), np.float32), np.zeros((TILE, TILE), np.float32), np.zeros((TILE, TILE), np.float32)
    centres = [(2, 3), (1, 11), (6, 7), (7, 15), (11, 3), (10, 11), (15, 7), (14, 15)]
    for (cy, cx), v in zip(centres, rng.permutation(np.linspace(-1, 1, 8))):
        a = -.75 + rng.uniform(-.4, .4)
        dy, dx = wrapped(YY - cy - rng.uniform(-1, 1)), wrapped(XX - cx - rng.uniform(-1, 1))
        s, t = dx * math.cos(a) + dy * math.sin(a), -dx * math.sin(a) + dy * math.cos(a)
        d = (s / length) ** 2 + (t / width) ** 2 + rng.uniform(0, .1)
        take = d < best
        best[take] = d[take]
        relief[take] = (-.34 * t / width + .25 * np.cos(t * 2.6))[take]
        value[take] = v
        shift[0][take], shift[1][take] = -dy[take], -dx[take]
    return shift, relief, value
