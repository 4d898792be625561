"""Last stage, decoder: python3 -m training.finish data|train [--clips 400] [--worker K --of W] [--minutes 40].

The autoencoder's decoder was trained on latents of pictures; in use it gets what the transformer makes of them. `data` lets the transformer (the model
folder of the last export) restyle procedural clips and keeps its latents beside the pictures that were wanted. `train` then goes on with the decoder
alone, mostly on those and partly on latents of pictures, so that edges of tokens, mottle and soft lines are mended where they become visible. The encoder
stays, so the transformer needs no training. Writes decoder.pt, which the export prefers; goes on from it where there is one.
"""
import argparse
import copy
import time

import numpy as np
import torch
import torch.nn.functional as F

from . import prompts, scenes, styles, workers
from .autoencoder import batch as plain_batch
from .autoencoder import psnr, shards
from .data import CACHE, FRAMES, look
from .export import OUT
from .stream import Models, Stream
from .vae import Vae, group, ungroup

RATE, SIZE, EACH, HELD_OUT = 1e-3, 96, 4, 1
FILE = CACHE / "decoder.pt"


@torch.no_grad()
def made(models, rng, z, style):
    """What the transformer makes of a clip's latents z [1, Z, 7, h, w] in one of both modes: f16 [Z, 7, h, w]."""
    normal = rng.random() < .5
    stream = Stream(models, prompts.sample(rng, style), "normal" if normal else "vace", float(rng.choice([.7, rng.uniform(.5, .85)])), seed=int(rng.integers(2**31)))
    return torch.cat([stream.denoise(z[:, :, :4]), stream.denoise(z[:, :, 4:])], 2)[0].half().numpy()


@torch.no_grad()
def shard(models, i):
    """Of 10 clips under EACH looks: latents that were made [n, Z, 7, 16, 16] and pictures that were wanted u8 [n, frames, 128, 128, 3]."""
    latents, wanted = [], []
    for k in range(10):
        rng = np.random.default_rng(9_000_000 + 1000 * i + k)
        clean, noisy = scenes.clip(rng, FRAMES, 128, 128)
        z, _ = models.vae.encode(torch.from_numpy(noisy)[None].permute(0, 4, 1, 2, 3).float() / 127.5 - 1)
        for style in rng.choice(list(styles.STYLES), EACH, replace=False):
            latents.append(made(models, rng, z, str(style))), wanted.append(look(str(style), clean))
    return np.stack(latents), np.stack(wanted)


def made_batch(rng, pool, n):
    """Latents [n, Z, 7, s, s] and pictures [n, 3, frames, 8 s, 8 s]."""
    s, zs, vs = SIZE // 8, [], []
    for _ in range(n):
        latents, wanted = pool[rng.integers(len(pool))]
        k, y, x = int(rng.integers(len(latents))), *(int(c) for c in rng.integers(0, (16 - s) // 2 + 1, 2) * 2)
        zs.append(latents[k, :, :, y:y + s, x:x + s].astype(np.float32)), vs.append(wanted[k, :, 8 * y:8 * (y + s), 8 * x:8 * (x + s)])
    return torch.from_numpy(np.stack(zs)), torch.from_numpy(np.ascontiguousarray(np.stack(vs).transpose(0, 4, 1, 2, 3))).float() / 127.5 - 1


def gradients(v):
    return v[..., 1:, :-1] - v[..., :-1, :-1], v[..., :-1, 1:] - v[..., :-1, :-1]


def energy(v):
    """How much detail there is around each place, [n, 3 frames, h, w]."""
    dx, dy = gradients(v.flatten(1, 2))
    return F.avg_pool2d((dx.square() + dy.square() + 1e-5).sqrt(), 6, 3)


def coarse(v):
    """Means of 8x8 pixels, [n, 3 frames, h, w]."""
    return F.avg_pool2d(v.flatten(1, 2), 8)


def errors(vae, z, v):
    """z [n, Z, g, h, w], v [n, 3, 1 + 4 (g - 1), H, W] -> loss, mean square."""
    u, _ = vae.decoder(vae.scale(z, inverse=True))
    made = ungroup(u)[:, :, 3:]
    e = made - v
    dx, dy = gradients(e)
    dt = e[:, :, 1:] - e[:, :, :-1]
    loss = e.abs().mean() + 2 * e.square().mean() + .5 * (dx.abs().mean() + dy.abs().mean()) + .3 * dt.abs().mean()
    loss = loss + .5 * (energy(made) - energy(v)).abs().mean()
    # steps between the latents and the tokens of a flat wall: small errors that are the first thing that one sees
    cx, cy = gradients(coarse(e))
    return loss + .5 * (cx.abs().mean() + cy.abs().mean()), e.square().mean()


def latents_of(vae, v):
    with torch.no_grad():
        mu, _ = vae.encoder(group(torch.cat([v[:, :, :1].expand(-1, -1, 3, -1, -1), v], 2)))
        return vae.scale(mu)


@torch.no_grad()
def score(vae, held):
    """Loss and mean square error on held-out latents that the transformer made."""
    rng = np.random.default_rng(3)
    found = [errors(vae, *made_batch(rng, held, 8)) for _ in range(4)]
    return [round(float(np.mean([float(f[k]) for f in found])), 4) for k in range(2)]


def work(rank, a):
    torch.set_num_threads(1), torch.manual_seed(rank)
    workers.join(rank, a.processes, 29519)
    files = sorted(CACHE.glob("made-*.npz"))
    made = [tuple(np.load(f)[k] for k in ("latents", "wanted")) for f in files]
    held, made, plain = made[:HELD_OUT], made[HELD_OUT:], shards()
    vae = Vae.load(CACHE / "vae.pt").train()
    test = plain_batch(np.random.default_rng(2), plain[-1:], 24, 128)
    if rank == 0:
        print("made", sum(len(m[0]) for m in made), "held out", score(vae, held), "psnr", psnr(vae, test), flush=True)
    if FILE.exists():
        vae.decoder.load_state_dict({"place": vae.decoder.place.data, **torch.load(FILE)["weights"]})
    kept, parameters = copy.deepcopy(vae.decoder), list(vae.decoder.parameters())
    opt, rng = torch.optim.AdamW(parameters, RATE, (.9, .99), weight_decay=.01), np.random.default_rng(100 + rank)
    began, n, each = time.time(), 0, max(1, 6 // a.processes)
    while (part := workers.clock(time.time() - began, a.processes) / 60 / a.minutes) < 1:
        for g in opt.param_groups:
            g["lr"] = RATE * min(1, (n + 1) / 40) * (.03 + .97 * .5 * (1 + np.cos(np.pi * part)))
        v = plain_batch(rng, plain[:-1], max(1, each // 2), SIZE)
        loss = errors(vae, *made_batch(rng, made, each))[0] + .5 * errors(vae, latents_of(vae, v), v)[0]
        opt.zero_grad(), loss.backward()
        workers.average(parameters, a.processes)
        torch.nn.utils.clip_grad_norm_(parameters, 1)
        opt.step()
        n += 1
        with torch.no_grad():
            for mine, x in zip(kept.parameters(), vae.decoder.parameters()):
                mine.lerp_(x, 1 - min(.995, n / (n + 10)))
        if n % 250 == 0 and rank == 0:
            save(kept, n, held, test)
    if rank == 0:
        save(kept, n, held, test)


def save(decoder, steps, held, test):
    vae = Vae.load(CACHE / "vae.pt")
    vae.decoder.load_state_dict(decoder.state_dict())
    loss, picture = score(vae, held)[0], psnr(vae, test)
    print(steps, "held out %.4f psnr %.2f" % (loss, picture), flush=True)
    torch.save({"weights": decoder.state_dict(), "steps": steps, "loss": loss, "psnr": picture}, FILE.with_suffix(".tmp"))
    FILE.with_suffix(".tmp").rename(FILE)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("what", choices=["data", "train"])
    p.add_argument("--clips", type=int, default=400), p.add_argument("--worker", type=int, default=0), p.add_argument("--of", type=int, default=1)
    p.add_argument("--minutes", type=float, default=40), p.add_argument("--processes", type=int, default=2)
    p.add_argument("--model", default=OUT)
    a = p.parse_args()
    if a.what == "train":
        return workers.start(work, a, a.processes)
    torch.set_num_threads(1)
    models = Models(a.model)
    for i in range(a.worker, a.clips // 10, a.of):
        path = CACHE / f"made-{i:04}.npz"
        if not path.exists():
            latents, wanted = shard(models, i)
            np.savez(path.with_suffix(".tmp.npz"), latents=latents, wanted=wanted)
            path.with_suffix(".tmp.npz").rename(path)
            print(path.stem, flush=True)


if __name__ == "__main__":
    main()
