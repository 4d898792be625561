"""Colour transfer on latents: the target of a reference image.

A linear map of colours, applied to every pixel, is a linear map of latents (up to the autoencoder's small nonlinear part), so no picture need be
decoded. The map is the Monge-Kantorovich one between two normal distributions (Pitie and Kokaram 2007), held back where a palette is very narrow.
"""
import torch

STRENGTH = .85


def root(c):
    values, vectors = torch.linalg.eigh(c)
    return (vectors * values.clamp_min(1e-8).sqrt()) @ vectors.T


class Palette:
    def __init__(self, vae):
        z, std, mean = len(vae.std), vae.std, vae.mean
        p, q = vae.encoder.skip.weight.detach(), vae.decoder.skip.weight.detach()
        base = q @ mean + vae.decoder.skip.bias.detach()
        of = lambda m: m.view(4, 3, 64, -1).transpose(0, 1).reshape(3, 256, -1)
        p_in, q_out, base = of(p.T), of(q * std), of(base[:, None])[..., 0]
        p_in = p_in / std
        self.matrix = torch.einsum("ikz,jky->ijzy", p_in, q_out)
        self.constant = torch.einsum("ikz,jk->ijz", p_in, base)
        self.shift = p_in.sum(1)
        last = (q * std).view(4, 3, 64, z)[3]
        self.weight, self.bias = last, (q @ mean + vae.decoder.skip.bias.detach()).view(4, 3, 64)[3]

    def statistics(self, z):
        """Mean [3] and covariance [3, 3] of the colours, -1..1, of frames that stand alone or of the last pictures of others, [Z, ..]."""
        u = (torch.einsum("ckz,zn->ckn", self.weight, z.flatten(1)) + self.bias[..., None]).clamp(-1, 1).flatten(1)
        mean = u.mean(1)
        return mean, (u - mean[:, None]) @ (u - mean[:, None]).T / u.shape[1]

    def transfer(self, z, reference, strength=STRENGTH):
        """z [Z, f, h, w] with the palette of the references [Z, n, h, w]."""
        (m, c), (mr, cr) = self.statistics(z[:, z.shape[1] // 2]), self.statistics(reference)
        c, cr = c + .004 * torch.eye(3), cr + .004 * torch.eye(3)
        r = root(c)
        inverse = torch.linalg.inv(r)
        k = inverse @ root(r @ cr @ r) @ inverse
        values, vectors = torch.linalg.eigh(k)
        k = (vectors * values.clamp(.4, 1.8)) @ vectors.T
        k = strength * k + (1 - strength) * torch.eye(3)
        o = strength * mr + (1 - strength) * m - k @ m
        d = k - torch.eye(3)
        change = torch.einsum("ij,ijzy,yn->zn", d, self.matrix, z.flatten(1)) + torch.einsum("ij,ijz->z", d, self.constant)[:, None]
        return z + (change + (o @ self.shift)[:, None]).view_as(z)
