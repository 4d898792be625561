"""The looks the model learns, as deterministic operators on one picture at a time.

Every operator takes and returns RGB [n, 3, h, w] in 0..1 and depends only on a small neighbourhood. Strokes and hatching repeat every 16 pixels, the
size of one transformer token, so that the network, which does not know absolute positions, can reproduce them. Sizes suit pictures of 320x176 to
576x320; both sides must divide by 16. The same dict serves the data, the evaluation and the model card.
"""
from .drawn import anime, blueprint, chalk, charcoal, comic, knit, low_poly, mosaic, oil, pixel, sketch, stained_glass, watercolour, woodcut
from .photographic import bw, dramatic, faded, ice, night, photo, sepia, sunset, thermal, xray
from .worlds import autumn, fire, galaxy, gold, hologram, neon, porcelain, underwater, vapor

STYLES = {
    "photo": photo, "bw": bw, "sepia": sepia, "sunset": sunset, "ice": ice, "night": night, "thermal": thermal, "faded": faded, "dramatic": dramatic, "xray": xray,
    "sketch": sketch, "charcoal": charcoal, "comic": comic, "blueprint": blueprint, "watercolour": watercolour, "oil": oil, "anime": anime, "pixel": pixel,
    "glass": stained_glass, "mosaic": mosaic, "lowpoly": low_poly, "woodcut": woodcut, "knit": knit, "chalk": chalk,
    "neon": neon, "gold": gold, "underwater": underwater, "autumn": autumn, "hologram": hologram, "fire": fire, "galaxy": galaxy, "vapor": vapor, "porcelain": porcelain,
}
NAMES = list(STYLES)
