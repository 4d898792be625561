"""What the model invents: living forms that follow from the noise it starts from.

Because what is invented is a function of the noise, and not one of many possible things, the best prediction of it is sharp. The last channels of the
first step's noise are smooth: low-passed in space, again of unit deviation. In pairs they make complex fields, from which forms with clear borders, tones
and hues follow point by point. In text mode they are all there is, and the fields turn slowly, each at its own speed, so the picture moves for
ever and never repeats. Over video, at a high noise_scale, they are laid over the coarse shapes of the input. Looks are applied to such pictures as to any.
"""
import math

import torch
import torch.nn.functional as F

SMOOTH = (24, 10, 4, 24, 10, 4)  # binomial order of the low-pass of each smooth channel; deviation is half the root, in latents
TURN = (.18, -.13, .1)  # radians by which the fields turn from latent frame to latent frame
FIELDS = len(TURN)


def low_pass(size, order):
    """[size, size]: the binomial low-pass cut at the borders, with rows of unit norm, which keep the variance of independent noise."""
    taps = torch.tensor([math.comb(order, k) / 2 ** order for k in range(order + 1)], dtype=torch.float64)
    rows = torch.zeros(size, size + order, dtype=torch.float64)
    for i in range(size):
        rows[i, i:i + order + 1] = taps
    rows = rows[:, order // 2:order // 2 + size]
    return (rows / rows.norm(dim=1, keepdim=True)).float()


def smooth(noise):
    """Independent noise [Z, 1, h, w] -> the same with its last channels smooth."""
    h, w = noise.shape[2:]
    channels = [low_pass(h, order) @ n[0] @ low_pass(w, order).T for n, order in zip(noise[-len(SMOOTH):], SMOOTH)]
    return torch.cat([noise[:-len(SMOOTH)], torch.stack(channels)[:, None]])


def turned(noise, start, frames):
    """Smooth noise [Z, 1, h, w] -> that of text mode in latent frames `start` and on, [Z, frames, h, w]: the fields turn, all else is silent."""
    real, imaginary = noise[-2 * FIELDS:-FIELDS], noise[-FIELDS:]
    angle = torch.tensor(TURN).view(-1, 1, 1, 1) * torch.arange(start, start + frames).view(1, -1, 1, 1)
    c, s = angle.cos(), angle.sin()
    return torch.cat([torch.zeros_like(noise[:-2 * FIELDS]).expand(-1, frames, -1, -1), c * real - s * imaginary, s * real + c * imaginary])


def fields(noise, height, width):
    """Smooth noise [Z, 1, h, w] -> complex fields [3, height, width]."""
    f = F.interpolate(noise[-2 * FIELDS:, 0][None], size=(height, width), mode="bicubic", align_corners=False)[0]
    return torch.complex(f[:FIELDS], f[FIELDS:])


def forms(f, g, h):
    """Tone of about zero mean [H, W]: leaves of paper that lie over each other, with round lights between."""
    level = f + .3 * g
    tone = .05 * torch.tanh(1.5 * h) + .06 * torch.sin(2.2 * g)
    for at, step in ((-1.3, .2), (-.65, -.3), (0, .34), (.6, -.26), (1.2, .3)):
        leaf = level - at + .12 * h
        tone = tone + step * (torch.tanh(14 * leaf) + .5 * torch.tanh(2.5 * leaf)) / 2
    return tone + .3 * torch.sigmoid(14 * (h - 1.25)) - .22 * torch.sigmoid(14 * (-h - 1.35))


def tint(angle):
    """Angle [H, W] -> [3, H, W] on a wheel that passes coral, gold, teal and violet."""
    return torch.stack([torch.cos(angle + a) for a in (0, .9, 2.2)])


def colours(f, g, h):
    """Real fields [H, W] -> RGB [3, H, W] in 0..1."""
    light = .46 + forms(f, g, h) * .8
    return (light + .24 * tint(1.1 * f + 1.3 * g + .6 * torch.tanh(6 * (h - 1.25)))).clamp(0, 1)


def clip(noise, frames=25):
    """Smooth noise [Z, 1, h, w] -> the pictures of text mode, RGB [frames, 3, 8h, 8w] in 0..1. A latent frame stands for the last of its pictures."""
    of_noise, turn = fields(noise, noise.shape[2] * 8, noise.shape[3] * 8), torch.tensor(TURN).view(-1, 1, 1) / 4
    return torch.stack([colours(*(of_noise * torch.exp(1j * turn * i)).real) for i in range(frames)])


def over(noise, video):
    """What is invented over a video: its coarse shapes, filled with forms. RGB [n, 3, H, W] in 0..1."""
    n, _, height, width = video.shape
    r, sigma = 9, 3.
    k = torch.exp(-torch.arange(-r, r + 1.) ** 2 / (2 * sigma ** 2))
    k = (k / k.sum()).expand(3, 1, 1, -1)
    coarse = F.pad(video, (r, r, r, r), "replicate")
    coarse = F.conv2d(F.conv2d(coarse, k, groups=3), k.transpose(2, 3), groups=3)
    f, g, h = fields(noise, height, width).real
    room = (4 * coarse * (1 - coarse)).mean(1, keepdim=True).clamp(.4, 1)
    return (coarse + room * (.5 * forms(.4 * f + .8 * g, h, g) + .07 * tint(1.1 * f + 1.3 * g))).clamp(0, 1)


def noise(seed, z, h, w):
    """The smooth noise [Z, 1, h, w] that belongs to a clip of these latents."""
    return smooth(torch.randn(z, 1, h, w, generator=torch.Generator().manual_seed(seed)))
