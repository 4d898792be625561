"""How much an error of latents shows as blotches: its part in the mean colour of each latent and of each token, by the autoencoder's linear part.

Three of the 64 numbers of a latent carry its mean colour, so the plain squared error hardly counts them; a viewer of a flat wall sees little else.
"""
import torch


class Mottle:
    def __init__(self, vae):
        weight = (vae.decoder.skip.weight.detach() * vae.std).view(4, 3, 64, -1).mean((0, 2))
        self.colour = weight / (weight.square().sum() / weight.shape[1]).sqrt()  # [3, Z]

    def to(self, device):
        self.colour = self.colour.to(device)
        return self

    def __call__(self, off):
        """off [b, Z, f, h, w] -> [b]; for errors that are independent of each other about their mean square."""
        of_latents = torch.einsum("cz,bzfhw->bcfhw", self.colour, off)
        b, c, f, h, w = of_latents.shape
        of_tokens = of_latents.view(b, c, f, h // 2, 2, w // 2, 2).mean((4, 6))
        mean = lambda e: e.square().sum(1).mean((1, 2, 3)) / off.shape[1]
        return (mean(of_latents) + 4 * mean(of_tokens)) / 2
