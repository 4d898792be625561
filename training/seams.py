"""What the runtime needs to smooth the seams of tokens (packages/longlive/src/token-seams.ts), from the decoder's linear part.

The transformer makes each token of 2x2 latents on its own, so on a flat wall the tokens stand side by side as faint tiles. The jump of the mean colour at
a border is linear in the latents on both sides, and so is a ramp that takes it away.
"""
import torch


def vectors(vae):
    """edges [axis, near or far side, 3, Z]: mean colour of a latent at its sides, along x and along y. ramps [axis, first or second latent of a token, border
    before or after it, 3, Z]: what to add for a jump of 1 at that border, half of it on either side, fading to nothing across the token."""
    weight = (vae.decoder.skip.weight.detach() * vae.std).double()  # [4 frames x 3 x 8 x 8, Z]
    inverse, pictures = torch.linalg.pinv(weight), weight.view(4, 3, 8, 8, -1).mean(0)  # [3, y, x, Z]
    fade = 1 - (torch.arange(16, dtype=torch.float64) + .5) / 16
    edges, ramps = [], []
    for axis in range(2):
        line = pictures.mean(1 + axis)  # [3, 8, Z] along the axis
        slope = (line[:, 4:].mean(1) - line[:, :4].mean(1)) / 4
        edges.append(torch.stack([line[:, :2].mean(1) - slope, line[:, 6:].mean(1) + slope]))
        halves = (slice(0, 8), slice(8, 16))
        ramps.append(torch.stack([torch.stack([drawn(inverse, axis, -fade[half] / 2), drawn(inverse, axis, fade.flip(0)[half] / 2)]) for half in halves]))
    return {"seams.edges": torch.stack(edges).float(), "seams.ramps": torch.stack(ramps).float()}


def drawn(inverse, axis, line):
    """Latents [3, Z] whose pictures have these 8 values along the axis, one for each colour."""
    out = []
    for colour in range(3):
        picture = torch.zeros(4, 3, 8, 8, dtype=torch.float64)
        picture[:, colour] = line if axis == 0 else line[:, None]
        out.append(inverse @ picture.flatten())
    return torch.stack(out)
