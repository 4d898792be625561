"""The latent shards, as mapped files that all processes share; held-out ones are for looking and measuring only."""
import glob
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch

from .data import CACHE
from .vae import Vae

HELD_OUT = 4


class Clips:
    """Clips of one kind and size: versions by name."""

    def __init__(self):
        self.clips, self.with_look = [], defaultdict(list)

    def add(self, array, about):
        for k, names in enumerate(about["versions"]):
            for version, name in enumerate(names):
                if name != "input":
                    self.with_look[name].append((len(self.clips), version))
            self.clips.append((array[k], names, about.get("seeds", [None] * len(array))[k]))

    def __len__(self):
        return len(self.clips)

    def latents(self, clip, version, where=(slice(None), slice(None), slice(None))):
        """f32 [Z, frames, h, w]; where: slices of frames, rows, columns."""
        return torch.from_numpy(self.clips[clip][0][version][(slice(None), *where)].astype(np.float32))


class Dreams:
    """Clips of `dreams` as if what is invented over them had come in by `share`, 0 to 1."""

    def __init__(self, source, share):
        self.source, self.clips, self.share = source, source.clips, share

    def __len__(self):
        return len(self.clips)

    def latents(self, clip, version, where):
        plain, names = self.source.latents(clip, version, where), self.clips[clip][1]
        return plain if names[version] == "input" else plain.lerp(self.source.latents(clip, version + len(names) - 1, where), self.share)


class Pool:
    """`looks`, `text` and `dreams`, each a dict of Clips by size, 16 (squares) or "wide"."""

    def __init__(self, held_out=False):
        self.seen, self.held_out = set(), held_out
        self.looks, self.text, self.dreams = ({16: Clips(), "wide": Clips()} for _ in range(3))
        self.vae = Vae.load(CACHE / "vae.pt")
        self.grey = {16: self.vae.grey(7, 16, 16).detach()[0], "wide": self.vae.grey(7, 22, 40).detach()[0]}
        self.refresh()

    def refresh(self):
        """Takes in the shards that are new since the last call. The first ones of each kind are held out."""
        for kind, clips in (("looks", self.looks), ("text", self.text), ("dreams", self.dreams)):
            for f in sorted(set(glob.glob(str(CACHE / f"{kind}-*.npy"))) - self.seen):
                self.seen.add(f)
                if (HELD_OUT <= int(f[-8:-4]) != 7) != self.held_out:
                    a = np.load(f, mmap_mode="r")
                    clips["wide" if a.shape[-1] == 40 else 16].add(a, json.loads(Path(f).with_suffix(".json").read_text()))
