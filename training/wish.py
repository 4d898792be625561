"""What a viewer may ask for, as words and as the latents that are wanted for them: one look, a graded look, two looks by weight, a reference.

Strengths and mixes are straight lines between latents, which works because the autoencoder is nearly linear.
"""
import dataclasses

import torch

from . import prompts

HARD = {"comic", "xray", "thermal", "watercolour", "pixel", "sketch", "blueprint", "anime"}  # thin lines and turned colours: shown twice as often


@dataclasses.dataclass
class Wish:
    """Prompts with weights that add up to one; what is wanted [Z, f, h, w]; pictures shown with it [Z, n, h, w], if any."""
    texts: list
    target: torch.Tensor
    references: torch.Tensor = None


def graded(rng, clips, clip, version, cut):
    """One version of a clip, plain or slightly. More than all of a look is no more than all of it."""
    text, strength = prompts.graded(rng, clips.clips[clip][1][version])
    target = clips.latents(clip, version, cut)
    return text, target if strength >= 1 else clips.latents(clip, 1, cut).lerp(target, strength)


def choose(rng, clips, clip):
    """A version of the clip other than the noisy input; photo seldom, as it is in every clip."""
    if rng.random() < .07:
        return 1
    names = clips.clips[clip][1][2:]
    shares = [2. if name in HARD else 1. for name in names]
    return 2 + int(rng.choice(len(names), p=[share / sum(shares) for share in shares]))


def plain(rng, clips, clip, cut):
    first, target = graded(rng, clips, clip, choose(rng, clips, clip), cut)
    if rng.random() > .12:
        return Wish([(first, 1.)], target)
    second, other = graded(rng, clips, clip, choose(rng, clips, clip), cut)
    w = .5 if rng.random() < .4 else float(rng.uniform(.15, .85))
    return Wish([(first, w), (second, 1 - w)], w * target + (1 - w) * other)


def referenced(rng, clips, clip, cut, palette, count):
    """The look of the prompt in the palette of the references; with a prompt that only points at them, their look too."""
    version, shown = choose(rng, clips, clip), []
    name = clips.clips[clip][1][version]
    alike = rng.random() < .45
    text = prompts.sample(rng, name) if not alike else prompts.reference(rng) if rng.random() < .85 else prompts.sample(rng, "photo")
    for _ in range(count):
        if alike:
            other, look = clips.with_look[name][int(rng.integers(len(clips.with_look[name])))]
        else:
            other = int(rng.integers(len(clips)))
            look = 1 if rng.random() < .7 else choose(rng, clips, other)
        shown.append(clips.latents(other, look, (slice(0, 1), *cut[1:])))
    shown = torch.cat(shown, 1)
    return Wish([(text, 1.)], palette.transfer(clips.latents(clip, version, cut), shown), shown)
