"""Stage 1 and 3, data: python3 -m training.data [--shards N] [--worker K --of W].

Writes shards of clips into training/.cache. A square shard holds 8 clips of 128x128, every eighth shard 4 clips of 320x176, each as nine versions: the
noisy input, then every operator on the clean clip. As long as there is no autoencoder the shards stay pixels (the autoencoder trains on the first of
them); afterwards the same command turns them into float16 latents, so that training the transformer never touches a pixel. Resumable: existing
shards are skipped. Shard i depends only on i.
"""
import argparse
import os
from pathlib import Path

import numpy as np
import torch

from . import scenes, styles

CACHE = Path(__file__).parent / ".cache"
FRAMES, KEEP = 25, 14


def wide(i):
    return i % 8 == 7


def versions(rng, height, width):
    """u8 [9, frames, height, width, 3]: the noisy input and every style of one clip."""
    clean, noisy = scenes.clip(rng, FRAMES, height, width)
    x = torch.from_numpy(clean).permute(0, 3, 1, 2) / 255
    looks = [(f(x).permute(0, 2, 3, 1) * 255 + .5).byte().numpy() for f in styles.STYLES.values()]
    return np.stack([noisy, *looks])


def pixels(i):
    h, w, n = (176, 320, 4) if wide(i) else (128, 128, 8)
    return np.stack([versions(np.random.default_rng(1000 * i + k + 7), h, w) for k in range(n)])


def write(path, array):
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    with open(temporary, "wb") as f:
        np.save(f, array)
    os.replace(temporary, path)


@torch.no_grad()
def latents(vae, array):
    """[clips, 9, frames, h, w, 3] u8 to f16 [clips, 9, 48, 7, h/8, w/8]."""
    out = [vae.encode(torch.from_numpy(c).permute(0, 4, 1, 2, 3).float() / 127.5 - 1)[0].half().numpy() for c in array]
    return np.stack(out)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--shards", type=int, default=160), p.add_argument("--worker", type=int, default=0), p.add_argument("--of", type=int, default=1)
    a = p.parse_args()
    CACHE.mkdir(exist_ok=True)
    torch.set_num_threads(1)
    vae = None
    for i in [*range(152 + a.worker, a.shards, a.of), *range(a.worker, min(152, a.shards), a.of)]:
        raw, coded = CACHE / f"pixels-{i:04}.npy", CACHE / f"latents-{i:04}.npy"
        if coded.exists():
            continue
        if vae is None and (CACHE / "vae.pt").exists():
            from .vae import Vae
            vae = Vae.load(CACHE / "vae.pt")
        if raw.exists() and vae is None:
            continue
        array = np.load(raw) if raw.exists() else pixels(i)
        if vae is None:
            write(raw, array)
        else:
            write(coded, latents(vae, array))
            if i >= KEEP and raw.exists():
                raw.unlink()
        print(i, "pixels" if vae is None else "latents", flush=True)


if __name__ == "__main__":
    main()
