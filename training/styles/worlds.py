"""Looks of other places and materials."""
import math

import numpy as np
import torch

from .tools import XX, YY, blur, contrast, dabs, edges, emboss, even, glow, grain, kuwahara, luma, mix, moved, palette, rgb, saturate, smear, step, tiled, voronoi, wave

HAMMER = voronoi(even(13, 3))[0]
CLOUD, CLOUD2 = grain(31, 1.5), grain(32, 1.5)
LEAF_SHIFT, LEAF_RELIEF, LEAF_VALUE = dabs(17, 4.2, 2.4)
TONGUES = .5 + .5 * np.cos(3 * XX * 2 * np.pi / 16 + 1.6 * np.sin(YY * 2 * np.pi / 16)) * wave(1, 1)
SCAN = np.where(YY % 4 < 2, 1., .62) * (1 + .16 * (YY % 16 < 4))


def caustics():
    """Bright curved threads of light: where two slow waves nearly cancel."""
    a = np.sin((XX + 1.7 * np.sin(YY * 2 * np.pi / 16)) * 2 * np.pi / 16) + np.cos((YY + 2 * np.sin(XX * 2 * np.pi / 16 + 1)) * 2 * np.pi / 16)
    return np.exp(-(a / .32) ** 2)


def sparks(seed, count, size):
    """Points of light of uneven brightness."""
    rng = np.random.default_rng(seed)
    v = np.zeros((16, 16))
    for i in range(count):
        cy, cx = rng.uniform(0, 16, 2)
        d = np.hypot((YY - cy + 8) % 16 - 8, (XX - cx + 8) % 16 - 8)
        v += rng.uniform(.4, 1) * np.exp(-(d / (size * rng.uniform(.6, 1.2))) ** 2)
    return v.clip(0, 1)


CAUSTICS, STARS, EMBERS = caustics(), sparks(5, 3, 1.), sparks(9, 2, 1.1)
FLOWER = np.clip(1.6 * (wave(1, 0) * wave(0, 1)) ** 2 * (.4 + wave(4, 4) * wave(4, -4)) + .5 * (wave(1, 0, np.pi) * wave(0, 1, np.pi)) ** 6, 0, 1)


def neon(x):
    """Magenta and cyan tubes over a violet night."""
    e = step(.05, .30, edges(x, 1.0))
    b = blur(x, 2.0)
    warm = torch.sigmoid(7 * (b[:, :1] - b[:, 2:]) + 4 * (luma(b) - .45))
    line = e * mix(rgb(.05, .88, 1., x), rgb(1., .12, .80, x), warm)
    base = palette(contrast(luma(blur(x, .7)), .5), (.015, .01, .05), (.07, .02, .19), (.20, .05, .38), (.42, .12, .58))
    return (base * (1 - .7 * e) + line + .75 * glow(line, 4) + .25 * e ** 3).clamp(0, 1)


def gold(x):
    """Hammered relief in metal: light from the upper left, bands of reflection."""
    l = contrast(luma(kuwahara(blur(x, .5), 2)), .3)
    dent = tiled((HAMMER[0] + HAMMER[1]) / 5, x)
    t = .10 + .60 * l + 1.1 * emboss(blur(l, .8)) + .06 * torch.sin(20 * l) + .07 * dent
    return palette(t, (.11, .045, .0), (.43, .22, .02), (.76, .50, .06), (.98, .78, .24), (1., .93, .55), (1., 1., .90))


def underwater(x):
    """Teal depth: red drowns, haze lifts the shadows, threads of light wander over everything."""
    b = blur(x, .9)
    l = luma(b)
    v = palette(.08 + .85 * l, (.0, .12, .20), (.0, .30, .38), (.06, .54, .56), (.42, .84, .76), (.85, 1., .90))
    v = mix(v, b * rgb(.45, 1., .95, x), .3)
    return (v + tiled(CAUSTICS, x) * (.10 + .16 * l) * rgb(.45, 1., .85, x)).clamp(0, 1)


def autumn(x):
    """Foliage: dabs of crimson, orange and yellow leaves carry the tones."""
    k = mix(moved(blur(x, .8), LEAF_SHIFT * .7), x, .35)
    l = contrast(luma(k), .2)
    leaf = tiled(LEAF_VALUE, x)
    tone = palette(l + .10 * tiled(LEAF_RELIEF, x), (.15, .03, .02), (.44, .09, .03), (.78, .27, .03), (.93, .55, .08), (.99, .83, .38))
    v = mix(tone, saturate(k * rgb(1.25, .85, .4, x), 1.2), .25)
    return (v + leaf * rgb(.05, .11, .01, x) * (.2 + l)).clamp(0, 1)


def hologram(x):
    """A projection in scan lines: glowing contours, see-through body, split colours."""
    l = contrast(luma(blur(x, .6)), .3)
    e = step(.04, .30, edges(x, .8))
    t = .10 + .50 * l + .55 * e
    v = palette(t, (.0, .025, .07), (.0, .17, .30), (.0, .50, .66), (.15, .86, .95), (.85, 1., 1.))
    v = v + .5 * torch.roll(e, -2, 3) * rgb(.55, .0, .35, x) + .35 * glow(e, 4) * rgb(.0, .55, .8, x)
    return (v * tiled(SCAN, x)).clamp(0, 1)


def fire(x):
    """Flames rise from every contour and every light; embers glow in the dark."""
    l = contrast(luma(blur(x, .8)), .5)
    fuel = .75 * step(.05, .4, edges(x, 1.)) + .55 * step(.45, 1, l)
    k = [math.exp(-i / 6.5) for i in range(18)]
    rise = smear(fuel, [0.] * 17 + [v / sum(k) for v in k], 2)
    t = .42 * l + 1.15 * rise * (.78 + .38 * tiled(TONGUES, x)) + .05
    v = palette(t, (.02, .0, .0), (.27, .01, .0), (.68, .08, .0), (.96, .30, .0), (1., .64, .06), (1., .90, .42), (1., 1., .85))
    return (v + tiled(EMBERS, x) * (.8 - t).clamp(0, 1) * rgb(1., .42, .05, x)).clamp(0, 1)


def galaxy(x):
    """Nebula clouds of blue and rose, stars where it is dark."""
    b = blur(x, .9)
    l = contrast(luma(b), .5) * .92
    hue = torch.sigmoid(6 * (b[:, :1] - b[:, 2:]) + .3 * tiled(CLOUD, x))
    cold = palette(l, (.01, .01, .06), (.05, .09, .30), (.12, .28, .72), (.42, .66, 1.), (.94, .97, 1.))
    warm = palette(l, (.02, .0, .05), (.20, .03, .28), (.62, .12, .52), (.98, .52, .66), (1., .95, .92))
    v = mix(cold, warm, hue) * (1 + .05 * tiled(CLOUD2, x)) + .22 * glow(step(.5, 1, l), 6) * rgb(.9, .5, 1., x)
    return (v + tiled(STARS, x) * (.15 + .85 * step(.65, .15, l))).clamp(0, 1)


def vapor(x):
    """Candy dusk: violet shadows, hot pink, mint highlights."""
    t = contrast(luma(blur(x, .5)), .35) * .92 + .04
    v = palette(t, (.20, .06, .42), (.52, .13, .68), (.98, .33, .72), (1., .62, .74), (.62, .93, .93), (.80, 1., .95))
    return (v * (1 - .10 * tiled((YY % 8 < 2) * 1., x))).clamp(0, 1)


def porcelain(x):
    """Cobalt brushwork under white glaze, with small flowers in the middle tones."""
    l = luma(kuwahara(blur(x, .6), 2))
    t = contrast(l.clamp(0, 1) ** .62, .45) * 1.06 - .30 * tiled(FLOWER, x) * step(.2, .5, l) * step(1.02, .6, l) - .5 * step(.08, .34, edges(x, .8))
    return palette(t, (.02, .06, .34), (.09, .20, .60), (.42, .57, .87), (.86, .91, .98), (.985, .985, .97))
