"""Looks made by hand: pencils, inks, paints, glass and stone."""
import numpy as np

from .tools import (XX, YY, blur, cells, contrast, dabs, edges, glow, grain, kuwahara, luma, mix, moved, palette, rgb, saturate, step, tiled, triangles,
                    voronoi, wave)

HATCH, CROSS = wave(3, 3), wave(3, -3)
STROKES, TOOTH, SPECKS = grain(4, .2, 5), grain(8, .4), grain(11, 1.)
DOTS = .5 * (wave(2, 2) + wave(2, -2))
GRID = np.where((YY % 16 == 0) | (XX % 16 == 0), 1., np.where((YY % 8 == 0) | (XX % 8 == 0), .35, 0))
WOBBLE = np.stack([grain(21, 1.6), grain(22, 1.6)]) * .8
STROKE_SHIFT, STROKE_RELIEF, STROKE_VALUE = dabs(5, 7.5, 2.6)
PANE_SHIFT, PANE_BORDER, PANE_VALUE = voronoi([(4, 3.4), (11.6, 11.8)])
FACET_SHIFT, FACET_LIGHT = triangles(7)
BAYER = np.where(YY < 8, np.where(XX < 8, -.375, .125), np.where(XX < 8, .375, -.125))
STONE = np.where(YY < 8, np.where(XX < 8, -.6, .9), np.where(XX < 8, .35, -1.))
GROUT = ((YY % 8 == 7) | (XX % 8 == 7)) * 1.
BEVEL = np.where(GROUT > 0, 0, ((YY % 8 < 1) | (XX % 8 < 1)) * 1. - ((YY % 8 == 6) | (XX % 8 == 6)) * .8)
ENGRAVE = .5 + .5 * np.cos((3 * YY + .9 * np.sin(XX * 2 * np.pi / 16)) * 2 * np.pi / 16 + .4)
LEAN = np.abs(XX % 8 - 3.5)
YARN = np.sin(np.pi * (((YY + LEAN * 1.25) % 8) + .5) / 8) * np.where(LEAN < 1, .62, np.where(LEAN > 3, .72, 1.))
STITCH = np.stack([3.5 - (YY + LEAN * 1.25) % 8, 3.5 - XX % 8])


def sketch(x):
    """Graphite on white paper, hatched where it is dark."""
    l = contrast(luma(blur(x, .7)), .3)
    dark = 1 - l
    hatch = tiled(HATCH, x) * step(.25, .7, dark) + tiled(CROSS, x) * step(.55, .9, dark)
    line = (.8 * step(.05, .36, edges(x, .5)) + .55 * step(.02, .10, blur(luma(x), 2) - luma(blur(x, .5)))).clamp(0, .92)
    v = (.98 - .30 * step(.1, 1, dark) * dark - .19 * hatch) * (1 - line) + .012 * tiled(TOOTH, x)
    return (v * rgb(1., .99, .965, x) + .02).clamp(0, 1)


def charcoal(x):
    """Black charcoal and white chalk on toned paper."""
    l = contrast(luma(blur(x, .8)), .3)
    tooth = tiled(STROKES, x) * .75 + tiled(TOOTH, x) * .4
    coal = step(-.28, .42, .62 - l * 1.25 + .9 * step(.06, .4, edges(x, 1.1)) + .09 * tooth - .1)
    chalk = step(.66, 1.04, l + .09 * tooth) * (1 - coal)
    paper = rgb(.76, .64, .50, x) * (1 + .025 * tiled(TOOTH, x))
    return mix(mix(paper, rgb(.07, .065, .07, x), .96 * coal), rgb(.99, .97, .93, x), .85 * chalk).clamp(0, 1)


def comic(x):
    """Ben-Day dots in pure colours, black ink."""
    k = kuwahara(blur(x, .6), 3)
    l = luma(k)
    d = tiled(DOTS, x)
    pure = saturate((k * (.92 / (k.amax(1, keepdim=True) + .06))).clamp(0, 1), 2.0)
    v = mix(rgb(1., .97, .87, x), pure, step(-.16, .16, d - (l - .42) * 2.3))
    ink = step(-.16, .16, d - .04 - (l - .03) * 2.9)
    ink = 1 - (1 - ink) * (1 - step(.10, .26, edges(x, 1.1)))
    return mix(v, rgb(.06, .05, .09, x), ink).clamp(0, 1)


def blueprint(x):
    """White ink on blue paper with a drafting grid."""
    l = contrast(luma(blur(x, .8)), .4)
    line = (step(.04, .26, edges(x, .7)) + .5 * step(.02, .08, luma(blur(x, .5)) - blur(luma(x), 2))).clamp(0, 1)
    paper = palette(l, (.02, .10, .36), (.035, .17, .49), (.09, .27, .62)) + .13 * tiled(GRID, x) + .10 * tiled(HATCH, x) * step(.55, .9, l)
    return mix(paper, rgb(.93, .97, 1., x), line * .95).clamp(0, 1)


def watercolour(x):
    """Thin flat washes on white paper: pigment pools on the dark side of an edge, paper shows on the light side."""
    k = kuwahara(blur(moved(x, WOBBLE), 1.), 4)
    l = luma(k)
    rim = l - blur(l, 2.6)
    thin = .50 * (1 + (-3.2 * rim).clamp(-.8, 1.2) + .10 * tiled(SPECKS, x) + .03 * tiled(TOOTH, x))
    v = saturate(k, 1.5).clamp(.06, 1) ** thin
    v = mix(v, rgb(.995, .985, .96, x), (step(.02, .11, rim) * .8 + .85 * step(.62, .95, l)).clamp(0, .95))
    return (v * rgb(1., .99, .97, x)).clamp(0, 1)


def oil(x):
    """Thick dabs of vivid paint, finer where there is detail."""
    k = kuwahara(blur(x, .6), 4)
    fine = step(.05, .28, edges(x, 1.))
    d = mix(moved(k, STROKE_SHIFT * .8), .5 * (k + x), .75 * fine)
    v = saturate(contrast(d, .55), 1.65)
    v = v * (1 + .13 * tiled(STROKE_VALUE, x) * rgb(1., .6, -.6, x)) * rgb(1.08, 1., .86, x) + rgb(.05, .025, .0, x)
    relief = tiled(STROKE_RELIEF, x) * (1 - .5 * fine)
    return (v * (1 + .42 * relief) + .05 * relief).clamp(0, 1)


def anime(x):
    """Three tones of clean bright colour, cool shadows, dark contours."""
    k = kuwahara(kuwahara(blur(x, .5), 3), 3)
    l = luma(k)
    s = l * 3.2 + .15
    flat = (s.floor() + step(.36, .64, s - s.floor()) - .15) / 3.2
    v = saturate((k * ((.16 + .92 * flat) / (l + .06)).clamp(.5, 2.6)).clamp(0, 1), 1.75)
    v = v * mix(rgb(.88, .86, 1.15, x), rgb(1.06, 1.03, .98, x), step(.2, .6, flat)) + .05
    return mix(v, rgb(.09, .04, .13, x), step(.10, .30, edges(x, .8)) * .94).clamp(0, 1)


def pixel(x):
    """Large square pixels in five levels a channel, dithered in a 2 x 2 pattern."""
    c = saturate(contrast(cells(x, 8), .5), 1.6) * 4 + tiled(BAYER, x) * .75
    return ((c.floor() + step(.35, .65, c - c.floor())) / 4).clamp(0, 1)


def stained_glass(x):
    """Luminous panes in lead; the lead also follows the drawing."""
    pane = moved(blur(x, 2.2), PANE_SHIFT)
    v = mix(pane, blur(x, .7), .42)
    v = saturate((v + .03) ** .75, 2.6) * (1 + .16 * tiled(PANE_VALUE, x) * rgb(1., .2, -1., x))
    v = v * (.72 + .5 * step(.5, 8., tiled(PANE_BORDER, x)))
    lead = 1 - (1 - step(2.0, .7, tiled(PANE_BORDER, x))) * (1 - .95 * step(.14, .38, edges(x, 1.2)))
    return mix(v, rgb(.035, .03, .045, x), lead).clamp(0, 1)


def mosaic(x):
    """Small polished stones in pale grout."""
    v = saturate(contrast(cells(x, 8), .4), 1.55) * (1 + .2 * tiled(STONE, x)) + .03 * tiled(STONE, x)
    v = v + .14 * tiled(BEVEL, x)
    return mix(v, rgb(.80, .76, .68, x), tiled(GROUT, x)).clamp(0, 1)


def low_poly(x):
    """Flat facets, each with its own light."""
    v = saturate(contrast(moved(blur(x, 1.8), FACET_SHIFT), .35), 1.3)
    return (v * (1 + .18 * tiled(FACET_LIGHT, x)) + .03 + .05 * tiled(FACET_LIGHT, x)).clamp(0, 1)


def woodcut(x):
    """Black ink on cream; the width of the cut lines follows the tone."""
    k = blur(x, .8)
    l = contrast(luma(k), .75)
    v = step(-.14, .14, tiled(ENGRAVE, x) - .99 + 1.2 * l)
    v = v * (1 - step(.12, .34, edges(x, .9)) * step(.9, .4, l)) + (1 - v) * .9 * step(.22, .5, edges(x, .8)) * step(.45, .15, l)
    return palette(v, (.07, .045, .04), (.97, .90, .74))


def knit(x):
    """Stitches of wool."""
    v = saturate(contrast(moved(blur(x, 2.), STITCH), .25), 1.25)
    return (v * (.42 + .68 * tiled(YARN, x)) + .10 * tiled(YARN, x) - .01).clamp(0, 1)


def chalk(x):
    """Coloured chalk on a green-black board."""
    l = luma(blur(x, .8))
    tooth = tiled(STROKES, x)
    amount = (.78 * l * (1 + .24 * tooth) + .95 * step(.05, .30, edges(x, .9)) * (1 + .15 * tooth)).clamp(0, .95)
    pastel = mix(saturate((blur(x, 1.) / (l + .15) * .68).clamp(0, 1), 1.6), rgb(.97, .97, .93, x), .30 + .55 * step(.1, .35, edges(x, .9)))
    return mix(rgb(.075, .155, .125, x), pastel, amount).clamp(0, 1)
