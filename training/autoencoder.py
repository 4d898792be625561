"""Stage 2, autoencoder: python3 -m training.autoencoder [--minutes 10].

Principal components of 768-vectors (4 frames of 8x8 pixels) initialise the linear path in both directions; then encoder and decoder are trained
together on crops of the pixel shards. Afterwards the latent scale is fixed: channel c is given the deviation gain * sqrt(w_c), where w_c is
the picture energy one whitened unit of c makes, so that unit noise hides details before it hides colours, and plain MSE is the right loss.
"""
import argparse
import glob
import time

import numpy as np
import torch

from . import workers
from .data import CACHE
from .vae import PIX, Z, Vae, group, ungroup

GAIN, RATE = 3.5, 2e-3


def shards():
    return [np.load(f, mmap_mode="r") for f in sorted(glob.glob(str(CACHE / "pixels-*.npy")))]


def batch(rng, pool, n, size, frames=13):
    """[n, 3, frames, size, size] in [-1, 1], flipped, transposed and with permuted colours at random."""
    out = []
    for _ in range(n):
        s = pool[rng.integers(len(pool))]
        t, y, x = rng.integers(0, 25 - frames + 1), *(rng.integers(0, (128 - size) // 8 + 1, 2) * 8)
        v = s[rng.integers(len(s)), rng.integers(4), t:t + frames, y:y + size, x:x + size]
        v = v[:, :, ::-1] if rng.random() < .5 else v
        v = v.swapaxes(1, 2) if rng.random() < .3 else v
        out.append(v[..., rng.permutation(3)] if rng.random() < .15 else v)
    return torch.from_numpy(np.ascontiguousarray(np.stack(out).transpose(0, 4, 1, 2, 3))).float() / 127.5 - 1


def start(video):
    """Linear path from principal components; half of the groups of a stream's start are four equal frames, as in use."""
    still = video[:, :, :1].expand(-1, -1, 4, -1, -1)
    u = torch.cat([group(video[:, :, 1:13]).permute(0, 2, 3, 4, 1).reshape(-1, PIX), group(still).permute(0, 2, 3, 4, 1).reshape(-1, PIX)])
    mean = u.mean(0)
    values, vectors = torch.linalg.eigh((u - mean).T.double() @ (u - mean).double() / len(u))
    values, vectors = values.flip(0)[:Z], vectors.flip(1)[:, :Z]
    vae, root = Vae(), values.sqrt()
    P, Q = (vectors / root).T.float(), (vectors * root).float()
    for layer, weight, bias in ((vae.encoder.skip, P, -P @ mean), (vae.decoder.skip, Q, mean)):
        layer.weight.data.copy_(weight), layer.bias.data.copy_(bias)
    return vae


def loss_of(vae, v, noise):
    mu, _ = vae.encoder(group(torch.cat([v[:, :, :1].expand(-1, -1, 3, -1, -1), v], 2)))
    u, _ = vae.decoder(mu + noise * torch.randn_like(mu))
    e = ungroup(u)[:, :, 3:] - v
    dx, dy, dt = e[..., 1:] - e[..., :-1], e[..., 1:, :] - e[..., :-1, :], e[:, :, 1:] - e[:, :, :-1]
    loss = e.abs().mean() + 2 * (e * e).mean() + .5 * (dx.abs().mean() + dy.abs().mean()) + .3 * dt.abs().mean()
    return loss + .003 * ((mu * mu).mean((0, 2, 3, 4)) - 1).square().mean(), (e * e).mean()


@torch.no_grad()
def psnr(vae, v):
    z, _ = vae.encode(v)
    r, _ = vae.decode(z)
    return float((-10 * (((r - v) / 2) ** 2).mean((1, 2, 3, 4)).log10()).mean())


@torch.no_grad()
def measure(vae, rng, pool):
    """Sets mean and std of the latents from their statistics and the energy of the decoder's columns."""
    v = batch(rng, pool, 96, 128)
    mu = torch.cat([vae.encoder(group(torch.cat([x[:, :, :1].expand(-1, -1, 3, -1, -1), x], 2)))[0] for x in v.split(8)])
    std = mu.std((0, 2, 3, 4))
    w = (vae.decoder.skip.weight.norm(dim=0) * std) ** 2
    w = (w / w.mean()).sqrt()
    s = GAIN * (w / w.mean()).sqrt()
    vae.mean, vae.std = mu.mean((0, 2, 3, 4)), std / s
    print("scale", [round(float(x), 2) for x in s], flush=True)


def work(rank, a):
    torch.set_num_threads(1), torch.manual_seed(rank)
    workers.join(rank, a.processes)
    rng, pool = np.random.default_rng(1), shards()
    test = batch(np.random.default_rng(2), pool[-1:], 24, 128)
    vae = start(batch(rng, pool[:-1], 200, 128))
    if rank == 0:
        print("clips", sum(len(s) for s in pool), "linear psnr", psnr(vae.eval(), test), flush=True)
    rng, ema = np.random.default_rng(100 + rank), {k: v.clone() for k, v in vae.state_dict().items()}
    opt = torch.optim.AdamW(vae.parameters(), RATE, (.9, .99), weight_decay=.01)
    began, n = time.time(), 0
    while (part := workers.clock(time.time() - began, a.processes) / 60 / a.minutes) < 1:
        for g in opt.param_groups:
            g["lr"] = RATE * min(1, (n + 1) / 20) * (.03 + .97 * .5 * (1 + np.cos(np.pi * part)))
        loss, mse = loss_of(vae, batch(rng, pool[:-1], max(1, 6 // a.processes), 96), .05)
        opt.zero_grad(), loss.backward()
        workers.average(list(vae.parameters()), a.processes)
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1)
        opt.step()
        n += 1
        decay = min(.99, n / (n + 10))
        for k, x in vae.state_dict().items():
            ema[k].lerp_(x, 1 - decay)
        if n % 25 == 0 and rank == 0:
            print(n, round(time.time() - began), "loss %.4f %.2f dB" % (float(loss), float(-10 * (mse / 4).log10())), flush=True)
    if rank == 0:
        vae.load_state_dict(ema)
        vae.eval()
        measure(vae, rng, pool[:-1])
        score = psnr(vae, test)
        print("psnr", score, "steps", n, flush=True)
        torch.save({"weights": vae.state_dict(), "mean": vae.mean, "std": vae.std, "steps": n, "psnr": score}, CACHE / "vae.tmp")
        (CACHE / "vae.tmp").rename(CACHE / "vae.pt")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--minutes", type=float, default=10), p.add_argument("--processes", type=int, default=2)
    a = p.parse_args()
    workers.start(work, a, a.processes)


if __name__ == "__main__":
    main()
