"""Stage 2, autoencoder: python3 -m training.autoencoder [--minutes 6].

Principal components of 768-vectors (4 frames of 8x8 pixels) initialise the linear path in both directions; then encoder and decoder are trained
together on crops of the pixel shards. Afterwards the latent scale is fixed: channel c is given the deviation gain * sqrt(w_c), where w_c is
the picture energy one whitened unit of c makes, so that unit noise hides details before it hides colours, and plain MSE is the right loss.
"""
import argparse
import glob
import time

import numpy as np
import torch

from .data import CACHE
from .vae import PIX, Z, Vae, group

GAIN = 3.5


def shards():
    squares = [np.load(f, mmap_mode="r") for f in sorted(glob.glob(str(CACHE / "pixels-*.npy")))]
    return [s for s in squares if s.shape[3] == 128][:12]


def batch(rng, pool, n, size, frames=13):
    """[n, 3, frames, size, size] in [-1, 1], flipped, transposed and with permuted colours at random."""
    out = []
    for _ in range(n):
        s = pool[rng.integers(len(pool))]
        t, y, x = rng.integers(0, 25 - frames + 1), *(rng.integers(0, (128 - size) // 8 + 1, 2) * 8)
        v = s[rng.integers(len(s)), rng.integers(9), t:t + frames, y:y + size, x:x + size]
        if rng.random() < .5:
            v = v[:, :, ::-1]
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
    from .vae import ungroup
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


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--minutes", type=float, default=6), p.add_argument("--threads", type=int, default=2)
    a = p.parse_args()
    torch.set_num_threads(a.threads), torch.manual_seed(0)
    rng, pool = np.random.default_rng(1), [np.array(s) for s in shards()]
    test = batch(np.random.default_rng(2), pool[-1:], 24, 128)
    vae = start(batch(rng, pool, 200, 128))
    print("clips", sum(len(s) for s in pool), "linear psnr", psnr(vae.eval(), test), flush=True)
    ema = {k: v.clone() for k, v in vae.state_dict().items()}
    opt = torch.optim.AdamW(vae.parameters(), 2e-3, (.9, .99), weight_decay=.01)
    began, n, seen = time.time(), 0, 0
    while (part := (time.time() - began) / 60 / a.minutes) < 1:
        for g in opt.param_groups:
            g["lr"] = 2e-3 * min(1, (n + 1) / 20) * (.03 + .97 * .5 * (1 + np.cos(np.pi * part)))
        loss, mse = loss_of(vae, batch(rng, pool, 6, 96), .05)
        opt.zero_grad(), loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1)
        opt.step()
        n += 1
        decay = min(.99, n / (n + 10))
        for k, x in vae.state_dict().items():
            ema[k].lerp_(x, 1 - decay)
        if n % 25 == 0:
            print(n, round(time.time() - began), float(loss), "dB", float(-10 * (mse / 4).log10()), flush=True)
    vae.load_state_dict(ema)
    vae.eval()
    measure(vae, rng, pool[:-1])
    print("psnr", psnr(vae, test), "steps", n, flush=True)
    temporary = CACHE / "vae.tmp"
    torch.save({"weights": vae.state_dict(), "mean": vae.mean, "std": vae.std, "steps": n, "psnr": psnr(vae, test)}, temporary)
    temporary.rename(CACHE / "vae.pt")


if __name__ == "__main__":
    main()
