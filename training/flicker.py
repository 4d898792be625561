"""How much an error of latents flickers: the change from picture to picture that it makes once decoded, by the autoencoder's linear part.

The plain squared error counts an error that stands still as much as one that repeats with every latent frame, which is what a viewer sees as boiling.
"""
import torch


class Flicker:
    def __init__(self, vae):
        weight = (vae.decoder.skip.weight.detach() * vae.std).view(4, 192, -1)
        within = torch.cat([weight[i + 1] - weight[i] for i in range(3)])
        # orthogonal factors keep the norms and have as few rows as latents have channels
        self.within = torch.linalg.qr(within).R
        between = torch.linalg.qr(torch.cat([weight[0], weight[3]], 1)).R
        self.first, self.last = between.split(weight.shape[2], 1)
        size = ((self.within.square().sum() + self.first.square().sum() + self.last.square().sum()) / weight.shape[2]).sqrt()
        self.within, self.first, self.last = (m / size for m in (self.within, self.first, self.last))

    def to(self, device):
        self.within, self.first, self.last = (m.to(device) for m in (self.within, self.first, self.last))
        return self

    def __call__(self, off):
        """off [b, Z, f, h, w] -> [b]; for errors that are independent of each other about their mean square."""
        of = lambda m, e: torch.einsum("kz,bzfhw->bkfhw", m, e)
        inside = of(self.within, off).square().sum(1).mean((1, 2, 3))
        across = (of(self.first, off[:, :, 1:]) - of(self.last, off[:, :, :-1])).square().sum(1).mean((1, 2, 3))
        return (inside + across) / off.shape[1]
