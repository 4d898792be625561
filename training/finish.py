"""Last stage, decoder: python3 -m training.finish data|train [--clips 400] [--worker K --of W] [--minutes 40].

The autoencoder's decoder was trained on latents of pictures; in use it gets what the transformer makes of them. `data` lets the transformer (the model
folder of the last export) restyle procedural clips and keeps its latents beside the input and the pictures that were wanted. `train` then goes on with
the decoder alone, mostly on those and partly on latents of pictures, so that edges of tokens, mottle and soft lines are mended where they become visible,
and so that it learns to glance at the input where that is a condition. The encoder stays, so the transformer needs no training. Writes decoder.pt, which
the export prefers; goes on from it where there is one.
"""
import argparse
import copy
import time

import numpy as np
import torch
import torch.nn.functional as F

from . import prompts, scenes, styles, workers
from .autoencoder import batch, psnr, shards
from .data import CACHE, FRAMES, look
from .export import OUT
from .stream import Models, Stream
from .vae import Vae, groups, ungroup

RATE, SIZE, EACH, HELD_OUT = 1e-3, 96, 4, 1
SHOWN = .9  # of the clips whose input is a condition, those that show it to the decoder
FILE = CACHE / "decoder.pt"


def asked(rng, style):
    """A stream's prompt, mode, noise_scale and seed."""
    normal = rng.random() < .5
    return prompts.sample(rng, style), "normal" if normal else "vace", float(rng.choice([.7, rng.uniform(.5, .85)])), int(rng.integers(2**31))


@torch.no_grad()
def made(models, z, prompt, mode, noise_scale, seed):
    """What the transformer makes of a clip's latents z [1, Z, 7, h, w]: f16 [Z, 7, h, w]."""
    stream = Stream(models, prompt, mode, noise_scale, seed=seed)
    return torch.cat([stream.denoise(z[:, :, :4]), stream.denoise(z[:, :, 4:])], 2)[0].half().numpy()


@torch.no_grad()
def shard(models, i):
    """Of 10 clips under EACH looks: latents that were made [n, Z, 7, 16, 16], pictures that were wanted u8 [n, frames, 128, 128, 3], the inputs
    [10, frames, 128, 128, 3] and which of the n have theirs as condition [n]."""
    latents, wanted, given, condition = [], [], [], []
    for k in range(10):
        rng = np.random.default_rng(9_000_000 + 1000 * i + k)
        clean, noisy = scenes.clip(rng, FRAMES, 128, 128)
        z, _ = models.vae.encode(torch.from_numpy(noisy)[None].permute(0, 4, 1, 2, 3).float() / 127.5 - 1)
        for style in rng.choice(list(styles.STYLES), EACH, replace=False):
            stream = asked(rng, str(style))
            latents.append(made(models, z, *stream)), wanted.append(look(str(style), clean)), condition.append(stream[1] == "vace")
        given.append(noisy)
    return {"latents": np.stack(latents), "wanted": np.stack(wanted), "given": np.stack(given), "condition": np.array(condition)}


def video(frames):
    """A list of u8 [frames, h, w, 3] -> [n, 3, frames, h, w] in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(np.stack(frames).transpose(0, 4, 1, 2, 3))).float() / 127.5 - 1


def glances(rng, given, shown):
    """What the decoder is shown of each clip's input [n, 3, frames, h, w]: [n, PIX, g, h/8, w/8], mid grey where that is nothing."""
    mask = torch.tensor([float(s and rng.random() < SHOWN) for s in shown]).view(-1, 1, 1, 1, 1)
    return groups(given, True) * mask


def made_batch(rng, pool, n):
    """Latents [n, Z, 7, s, s], pictures [n, 3, frames, 8 s, 8 s] and glances."""
    s, zs, vs, gs, shown = SIZE // 8, [], [], [], []
    for _ in range(n):
        of = pool[rng.integers(len(pool))]
        k, y, x = int(rng.integers(len(of["latents"]))), *(int(c) for c in rng.integers(0, (16 - s) // 2 + 1, 2) * 2)
        cut = (slice(8 * y, 8 * (y + s)), slice(8 * x, 8 * (x + s)))
        zs.append(of["latents"][k, :, :, y:y + s, x:x + s].astype(np.float32)), shown.append(of["condition"][k])
        vs.append(of["wanted"][k][(slice(None), *cut)]), gs.append(of["given"][k // EACH][(slice(None), *cut)])
    return torch.from_numpy(np.stack(zs)), video(vs), glances(rng, video(gs), shown)


def plain_batch(rng, pool, n, vae):
    """Latents of pictures instead, half of them with a glance at the input that they were made of."""
    vs, gs = [], []
    for _ in range(n):
        s = pool[rng.integers(len(pool))]
        k, version, t, y, x = int(rng.integers(len(s))), int(rng.integers(1, 4)), int(rng.integers(0, 13)), *(int(c) * 8 for c in rng.integers(0, (128 - SIZE) // 8 + 1, 2))
        of = lambda v: s[k, v, t:t + 13, y:y + SIZE, x:x + SIZE]
        vs.append(of(version)), gs.append(of(0))
    v = video(vs)
    return latents_of(vae, v), v, glances(rng, video(gs), rng.random(n) < .5)


def gradients(v):
    return v[..., 1:, :-1] - v[..., :-1, :-1], v[..., :-1, 1:] - v[..., :-1, :-1]


def energy(v):
    """How much detail there is around each place, [n, 3 frames, h, w]."""
    dx, dy = gradients(v.flatten(1, 2))
    return F.avg_pool2d((dx.square() + dy.square() + 1e-5).sqrt(), 6, 3)


def coarse(v):
    """Means of 8x8 pixels, [n, 3 frames, h, w]."""
    return F.avg_pool2d(v.flatten(1, 2), 8)


def patches(rng, pool):
    """Groups of pixels of moving pictures, [n, PIX]."""
    return groups(batch(rng, pool, 48, SIZE), True).permute(0, 2, 3, 4, 1).flatten(0, 3)


def errors(vae, z, v, glance):
    """z [n, Z, g, h, w], v [n, 3, 1 + 4 (g - 1), H, W], glance [n, PIX, g, h, w] -> loss, mean square."""
    u, _ = vae.decoder(vae.scale(z, inverse=True), None, glance)
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
        return vae.encode(v)[0]


@torch.no_grad()
def open_gate(decoder, vae, rng, made, plain, batches=60):
    """Sets the gate to what lets through most of the error that the decoder makes without it: least squares for each number of the detail."""
    seen, features = decoder.seen, []
    hook = decoder.norm.register_forward_hook(lambda _, __, out: features.append(out))
    left, right = torch.zeros(seen.gate.out_features, seen.gate.in_features + 1, seen.gate.in_features + 1), torch.zeros(seen.gate.out_features, seen.gate.in_features + 1)
    for i in range(batches):
        z, v, glance = made_batch(rng, made, 6) if i % 3 else plain_batch(rng, plain, 6, vae)
        u, _ = decoder(vae.scale(z, inverse=True))
        error = (groups(v, True) - u).permute(0, 2, 3, 4, 1).flatten(0, 3) @ seen.show.weight
        d = seen.detail(glance.permute(0, 2, 3, 4, 1)).flatten(0, 3)
        x = torch.cat([features.pop().flatten(0, -2), torch.ones(len(d), 1)], 1)
        for part in torch.randperm(len(d)).split(2000)[:2]:
            squares = (x[part, :, None] * x[part, None]).flatten(1)
            left += (d[part].square().T @ squares).view(left.shape)
            right += (d[part] * error[part]).T @ x[part]
    hook.remove()
    ridge = 1e-2 * left.diagonal(dim1=1, dim2=2).mean(1).view(-1, 1, 1) * torch.eye(left.shape[1])
    solution = torch.linalg.solve((left + ridge).double(), right.double()[..., None])[..., 0].float()
    seen.gate.weight.copy_(solution[:, :-1]), seen.gate.bias.copy_(solution[:, -1])


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
    made = [dict(np.load(f)) for f in files]
    held, made, plain = made[:HELD_OUT], made[HELD_OUT:], shards()
    vae = Vae.load(CACHE / "vae.pt").train()
    test = batch(np.random.default_rng(2), plain[-1:], 24, 128)
    if rank == 0:
        print("made", sum(len(m["latents"]) for m in made), "held out", score(vae, held), "psnr", psnr(vae, test), flush=True)
    saved = torch.load(FILE)["weights"] if FILE.exists() else {}
    vae.decoder.load_state_dict({**vae.decoder.state_dict(), **saved})
    if "seen.gate.weight" not in saved:
        vae.decoder.seen.fit(vae.encoder.skip, vae.decoder.skip, patches(np.random.default_rng(4), plain[:-1]))
        open_gate(vae.decoder, vae, np.random.default_rng(6), made, plain[:-1])
    kept, parameters = copy.deepcopy(vae.decoder), list(vae.decoder.parameters())
    opt, rng = torch.optim.AdamW(parameters, RATE, (.9, .99), weight_decay=.01), np.random.default_rng(100 + rank)
    began, n, each = time.time(), 0, max(1, 6 // a.processes)
    while (part := workers.clock(time.time() - began, a.processes) / 60 / a.minutes) < 1:
        for g in opt.param_groups:
            g["lr"] = RATE * min(1, (n + 1) / 40) * (.03 + .97 * .5 * (1 + np.cos(np.pi * part)))
        loss = errors(vae, *made_batch(rng, made, each))[0] + .5 * errors(vae, *plain_batch(rng, plain[:-1], max(1, each // 2), vae))[0]
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
            np.savez(path.with_suffix(".tmp.npz"), **shard(models, i))
            path.with_suffix(".tmp.npz").rename(path)
            print(path.stem, flush=True)


if __name__ == "__main__":
    main()
