"""Data: python3 -m training.data pixels|looks|text|dreams [--shards N] [--worker K --of W].

Shards lie in training/.cache; shard i depends only on i, existing ones are skipped. `pixels` (for the autoencoder): 16 clips of 128x128 in four versions:
noisy, clean, two looks. The other kinds need the autoencoder and store float16 latents, so that training the transformer never touches a pixel: `looks`
holds the noisy input, the clean clip and eight of the looks of each clip, `text` six looks of dreams, `dreams` a clip with four looks and the same with
what is invented over it (see dream.py). Every eighth shard is wide. Which looks are in a shard is told by a JSON file beside it.
"""
import argparse
import json
import os
from pathlib import Path

import numpy as np
import torch

from . import dream, scenes, styles
from .vae import Vae, Z

CACHE = Path(__file__).parent / ".cache"
FRAMES = 25


def look(name, clean):
    """u8 [n, h, w, 3] under an operator."""
    return u8(styles.STYLES[name](torch.from_numpy(clean).permute(0, 3, 1, 2) / 255).clamp(0, 1))


def u8(video):
    """[n, 3, h, w] in 0..1 -> u8 [n, h, w, 3]."""
    return (video.permute(0, 2, 3, 1) * 255 + .5).byte().numpy()


def write(path, array):
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    with open(temporary, "wb") as f:
        np.save(f, array)
    os.replace(temporary, path)


def pixels(i):
    """u8 [16, 4, frames, 128, 128, 3]"""
    out = []
    for k in range(16):
        rng = np.random.default_rng(5_000_000 + 1000 * i + k)
        clean, noisy = scenes.clip(rng, FRAMES, 128, 128)
        out.append(np.stack([noisy, clean, *(look(n, clean) for n in rng.choice(styles.NAMES, 2, replace=False))]))
    return np.stack(out)


def wide(i):
    return i % 8 == 7


def shape(i):
    """Height and width in latents, and clips, of shard i."""
    return (22, 40, 4) if wide(i) else (16, 16, 12)


@torch.no_grad()
def encode(vae, versions):
    """u8 [n, frames, h, w, 3] -> f16 [n, Z, 7, h/8, w/8]"""
    return torch.cat([vae.encode(torch.from_numpy(v)[None].permute(0, 4, 1, 2, 3).float() / 127.5 - 1)[0] for v in versions]).half().numpy()


def looks(vae, i):
    """f16 [clips, 10, Z, 7, h, w] and for each clip the names of its versions."""
    h, w, n = shape(i)
    out, names = [], []
    for k in range(n):
        rng = np.random.default_rng(1000 * i + k + 7)
        clean, noisy = scenes.clip(rng, FRAMES, h * 8, w * 8)
        chosen = [str(x) for x in rng.permutation([x for x in styles.NAMES if x != "photo"])[:8]]
        out.append(encode(vae, [noisy, clean, *(look(x, clean) for x in chosen)]))
        names.append(["input", "photo", *chosen])
    return np.stack(out), {"versions": names}


def text(vae, i):
    """f16 [clips, 6, Z, 7, h, w]: dreams under six looks, with the seeds of the noise they come from."""
    h, w, n = shape(i)
    out, names, seeds = [], [], []
    for k in range(n):
        seed = 1000 * i + k + 7
        rng = np.random.default_rng(seed)
        clean = u8(dream.clip(dream.noise(seed, Z, h, w)))
        chosen = ["photo", *(str(x) for x in rng.permutation([x for x in styles.NAMES if x != "photo"])[:5])]
        out.append(encode(vae, [look(x, clean) for x in chosen]))
        names.append(chosen), seeds.append(seed)
    return np.stack(out), {"versions": names, "seeds": seeds}


def dreams(vae, i):
    """f16 [clips, 11, Z, 7, h, w]: noisy input, clean clip, four looks; then clean and looks again with what is invented from the noise of the seeds."""
    h, w, n = shape(i)
    out, names, seeds = [], [], []
    for k in range(n):
        seed = 9_000_000 + 1000 * i + k
        rng = np.random.default_rng(seed)
        clean, noisy = scenes.clip(rng, FRAMES, h * 8, w * 8)
        invented = u8(dream.over(dream.noise(seed, Z, h, w), torch.from_numpy(clean).permute(0, 3, 1, 2) / 255))
        chosen = ["photo", *(str(x) for x in rng.permutation([x for x in styles.NAMES if x != "photo"])[:4])]
        out.append(encode(vae, [noisy, *(look(x, c) for c in (clean, invented) for x in chosen)]))
        names.append(["input", *chosen]), seeds.append(seed)
    return np.stack(out), {"versions": names, "seeds": seeds}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("what", choices=["pixels", "looks", "text", "dreams"])
    p.add_argument("--shards", type=int, default=16), p.add_argument("--worker", type=int, default=0), p.add_argument("--of", type=int, default=1)
    a = p.parse_args()
    CACHE.mkdir(exist_ok=True)
    torch.set_num_threads(1)
    vae = None if a.what == "pixels" else Vae.load(CACHE / "vae.pt")
    for i in range(a.worker, a.shards, a.of):
        path = CACHE / f"{a.what}-{i:04}.npy"
        if path.exists():
            continue
        if vae is None:
            write(path, pixels(i))
        else:
            array, about = {"looks": looks, "text": text, "dreams": dreams}[a.what](vae, i)
            path.with_suffix(".json").write_text(json.dumps(about))
            write(path, array)
        print(path.stem, flush=True)


if __name__ == "__main__":
    main()
