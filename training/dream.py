"""What the model shows when there is no input: living fields of colour that follow from the noise it starts from.

Because the picture is a function of the noise, and not one of many, the best prediction is sharp. The layout of a chunk is its own noise, low-passed:
six channels make three complex fields that turn slowly, so the picture moves for ever; each later chunk mixes some of its new noise in. Looks are
then applied to this picture as to any other.
"""
import math

import torch
import torch.nn.functional as F

CHANNELS, SIGMA, RENEWAL, LENGTHS = 6, 2., .35, (4, 3)
SPEED = (1.1, -.8, .6)


def low(noise):
    """[6, h, w] noise of unit deviation -> its gaussian low-pass, again of unit deviation."""
    r = 5
    k = torch.exp(-torch.arange(-r, r + 1.) ** 2 / (2 * SIGMA ** 2))
    k = k[:, None] * k[None]
    sum_of = lambda x, w: F.conv2d(x[:, None], w[None, None], padding=r)[:, 0]
    return sum_of(noise, k) / sum_of(torch.ones_like(noise[:1]), k * k).sqrt()


def layout(noise):
    """Noise of one chunk [Z, frames, h, w] -> three complex fields [3, 8h, 8w]."""
    f = low(noise[:CHANNELS].mean(1) * noise.shape[1] ** .5)
    f = F.interpolate(f[None], scale_factor=8, mode="bicubic", align_corners=False)[0]
    return torch.complex(f[:3], f[3:])


def colours(fields):
    """Real parts [3, H, W] -> RGB [3, H, W] in 0..1: blobs and bands of light, hues that drift."""
    f, g, h = fields
    light = .44 + .2 * torch.tanh(1.3 * f) + .13 * torch.tanh(7 * (f - .35)) + .1 * torch.sin(3 * g) - .1 * torch.tanh(8 * (g - .7))
    hue, chroma = 1.2 * g + .8 * h + .6 * f, .2 + .08 * torch.tanh(h)
    wheel = [light + chroma * torch.cos(hue + a) for a in (0, 2 * math.pi / 3, 4 * math.pi / 3)]
    return torch.stack(wheel).clamp(0, 1)


def clip(noise):
    """Noise [Z, 7, h, w] of a first chunk of four and a second of three latents -> RGB [25, 3, 8h, 8w] in 0..1."""
    first, second = (layout(n) for n in noise.split(LENGTHS, 1))
    speed, out = torch.tensor(SPEED).view(3, 1, 1), []
    for i in range(25):
        turn = torch.exp(1j * speed * i / 24)
        m = RENEWAL * max(0, i - 12) / 12
        out.append(colours(((1 - m * m) ** .5 * first * turn + m * second).real))
    return torch.stack(out)


def noise(seed, z, h, w):
    """The noise that belongs to a clip of [7, h, w] latents."""
    return torch.randn(z, 7, h, w, generator=torch.Generator().manual_seed(seed))
