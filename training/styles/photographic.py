"""Looks of cameras, film and sensors."""
from .tools import blur, contrast, edges, glow, grain, luma, mix, palette, rgb, saturate, step, tiled

GRAIN = grain(3, .3)


def photo(x):
    return x


def bw(x):
    return contrast(luma(x), .45).expand(-1, 3, -1, -1).contiguous()


def sepia(x):
    return palette(contrast(luma(x), .2), (.10, .05, .02), (.38, .23, .10), (.65, .45, .24), (.89, .72, .46), (1., .93, .77))


def sunset(x):
    """Violet shadows, coral middle, golden light."""
    tone = palette(contrast(luma(x), .3), (.13, .03, .20), (.46, .10, .30), (.88, .32, .20), (1., .62, .22), (1., .90, .55))
    return mix(tone, saturate(x * rgb(1.15, .8, .6, x), 1.3), .3).clamp(0, 1)


def ice(x):
    """Deep blue shadows, pale frosty light that blooms."""
    l = contrast(luma(x), .2)
    tone = palette(l, (.01, .06, .20), (.07, .27, .55), (.34, .62, .88), (.74, .91, 1.), (.96, 1., 1.))
    return (mix(tone, x * rgb(.7, .95, 1.2, x), .22) + .25 * glow(step(.5, 1, l), 5) * rgb(.5, .8, 1., x)).clamp(0, 1)


def night(x):
    """An image intensifier: green phosphor, raised darks, bloom and a fixed grain."""
    l = luma(blur(x, .6))
    l = (l + .02).clamp_min(0) ** .7
    t = .06 + .8 * contrast(l, .3) + .3 * glow(step(.6, 1, l), 5) + .055 * tiled(GRAIN, x)
    return palette(t, (.0, .05, .0), (.01, .30, .04), (.08, .62, .10), (.36, .95, .24), (.86, 1., .72))


def thermal(x):
    b = blur(x, 1.2)
    heat = .06 + .8 * luma(b) + .38 * (b[:, :1] - b[:, 2:])
    return palette(contrast(heat.clamp(0, 1), .6), (.0, .0, .06), (.14, .02, .42), (.48, .03, .58), (.83, .16, .36), (.97, .45, .08), (1., .78, .13), (1., 1., .82))


def faded(x):
    """A print that lay in the sun: milky rose blacks, cream whites, half the colour."""
    v = saturate(x, .55)
    return (rgb(.37, .27, .31, x) + v * rgb(.60, .61, .47, x)).clamp(0, 1)


def dramatic(x):
    """Crushed blacks, burnt light, teal shadows against orange skin."""
    v = saturate(contrast(contrast(x, 1.), .9), 1.5)
    t = luma(v)
    return (v + (1 - t) * rgb(-.10, -.01, .05, x) + t * rgb(.10, .02, -.12, x)).clamp(0, 1)


def xray(x):
    """A negative on the light box, with bright contours."""
    b = blur(x, .7)
    t = .92 * contrast(1 - luma(b), .5) + .35 * step(.04, .4, edges(x, .9))
    return palette(t, (.0, .015, .04), (.02, .13, .23), (.16, .38, .52), (.55, .78, .86), (.96, 1., 1.))
