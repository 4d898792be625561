"""What is measured, on pictures u8 [n, h, w, 3].

distance: L1 of RGB plus L1 of its gradient (the absolute differences along x and along y, added), both at a quarter of the size (area average), in
hundredths of full scale. structure: correlation of the luma's gradient magnitude, full size, mean over the pictures.
"""
import numpy as np

LUMA = np.array([.299, .587, .114], np.float32)


def quarter(v):
    n, h, w, c = v.shape
    return v[:, :h // 4 * 4, :w // 4 * 4].reshape(n, h // 4, 4, w // 4, 4, c).mean((2, 4), dtype=np.float32) / np.float32(2.55)


def quarter_distance(a, b):
    d = a - b
    return float(np.abs(d).mean() + np.abs(np.diff(d, axis=1)).mean() + np.abs(np.diff(d, axis=2)).mean())


def distance(a, b):
    return quarter_distance(quarter(a), quarter(b))


def gradient(v):
    gy, gx = np.gradient(v.astype(np.float32) @ LUMA, axis=(1, 2))
    return np.hypot(gx, gy)


def correlation(a, b):
    """Mean over pictures; a picture without any gradient has none."""
    a, b = (x.reshape(len(x), -1) - x.reshape(len(x), -1).mean(1, keepdims=True) for x in (a, b))
    return float(np.mean((a * b).sum(1) / (np.sqrt((a * a).sum(1) * (b * b).sum(1)) + 1e-6)))


def structure(v, source):
    return correlation(gradient(v), gradient(source))


def psnr(a, b):
    return float(-10 * np.log10(((a.astype(np.float32) - b) ** 2).mean() / 255 ** 2 + 1e-10))


def changes(v):
    """Mean absolute difference of each picture to the next, of 255. [n - 1]"""
    return np.array([np.abs(b.astype(np.int16) - a).mean() for a, b in zip(v, v[1:])])


def seams(v, starts):
    """Changes of an evenly moving video: across chunk borders, across borders of 4-frame groups inside chunks, and all inside chunks.

    A first frame is a group of its own; what precedes the second group is left out, as the stream settles there."""
    d = changes(v)
    border = np.zeros(len(d), bool)
    border[np.array(starts[1:]) - 1] = True
    group = (np.arange(len(d)) % 4 == 0) & ~border
    group[0] = False
    inside = ~border
    inside[:4] = False
    return {"chunk": float(d[border].mean()), "group": float(d[group].mean()), "inside": float(d[inside].mean())}


def flicker(v, starts):
    """Mean change of a still scene, from the second chunk on."""
    return float(changes(v[starts[1]:]).mean())


def toward(before, after, goal):
    """How far the mean colour has gone from `before` toward `goal`'s: 0 not at all, 1 all the way."""
    a, b, c = (x.reshape(-1, 3).mean(0, dtype=np.float64) for x in (before, after, goal))
    return float((b - a) @ (c - a) / max((c - a) @ (c - a), 1e-6))


def palette_distance(a, b):
    """Sliced Wasserstein distance of the colours, of 255."""
    rng = np.random.default_rng(1)
    axes = rng.standard_normal((16, 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    at = np.linspace(0, 1, 257)
    qa, qb = (np.quantile(x.reshape(-1, 3).astype(np.float32) @ axes.T, at, axis=0) for x in (a, b))
    return float(np.abs(qa - qb).mean())
