"""Stage 6, evaluation: python3 -m training.evaluate [--quick] [--sheet DIR]. Streams unseen clips through the exported files.

Clips: two held-out procedural ones, a test canvas (shapes, gradient, text) and a copy of a fake camera (green, a turning pie, a clock). Figures per mode and
size: saturation of black and white against photo, hue of sepia, gradient correlation with the input, distance of sketch and thermal from photo beyond
colour, effect of another seed and noise scale, PSNR against the operator, flicker. Writes results.json beside the checkpoints.
"""
import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

from . import scenes, stream, styles
from .data import CACHE
from .export import OUT

PROMPTS = {"photo": "photo", "bw": "black and white", "sepia": "sepia", "sketch": "pencil sketch", "neon": "cyberpunk neon", "thermal": "thermal camera", "oil": "oil painting", "anime": "anime"}
WEIGHTS = np.array([.299, .587, .114], np.float32)


def canvas(i, h, w):
    y, x = np.mgrid[:h, :w] / [[[h]], [[w]]]
    im = Image.fromarray((np.dstack([.9 * x + .1, .3 + .5 * y, .9 - .7 * x]) * 255).astype(np.uint8))
    d, s = ImageDraw.Draw(im), h / 176
    d.ellipse([s * (40 + 2 * i), s * 30, s * (100 + 2 * i), s * 90], fill=(240, 60, 40))
    d.rectangle([s * (220 - 2 * i), s * 90, s * (280 - 2 * i), s * 150], fill=(30, 200, 90), outline=(255, 255, 255))
    d.polygon([(s * 150, s * (150 - i)), (s * 190, s * (150 - i)), (s * 170, s * (110 - i))], fill=(250, 220, 40))
    d.text((s * 20, s * 140), "EVERFRAME 42", fill=(255, 255, 255), font=scenes.fonts()[2 if h > 200 else 1])
    return np.asarray(im)


def camera(i, h, w):
    im = Image.new("RGB", (w, h), (0, 190, 60))
    d = ImageDraw.Draw(im)
    r, cx, cy = h * .3, w * (.5 + .2 * math.sin(i / 12)), h * .5
    d.pieslice([cx - r, cy - r, cx + r, cy + r], i * 9, i * 9 + 270, fill=(255, 255, 60))
    d.text((w * .05, h * .05), f"0:00:0{i // 24}.{i % 24:02}", fill=(20, 20, 20), font=scenes.fonts()[1])
    return np.asarray(im)


def clips(h, w, frames=25):
    made = [scenes.clip(np.random.default_rng(9_000_000 + k), frames, h, w) for k in (2, 5)]
    flat = [np.stack([f(i, h, w) for i in range(frames)]) for f in (canvas, camera)]
    return [*made, *((v, v) for v in flat)]


def luma(v):
    return v.astype(np.float32) @ WEIGHTS / 255


def gradient(v):
    gy, gx = np.gradient(luma(v), axis=(1, 2))
    return np.hypot(gx, gy)


def correlation(a, b):
    return float(np.mean([np.corrcoef(x.ravel(), y.ravel())[0, 1] for x, y in zip(a, b)]))


def saturation(v):
    """Mean HSV saturation and mean chroma (max - min)."""
    v = v.astype(np.float32) / 255
    top, low = v.max(-1), v.min(-1)
    return float(((top - low) / np.maximum(top, 1e-3)).mean()), float((top - low).mean())


def hue(v):
    """Hue of the mean colour, and the chroma-weighted circular mean of all pixels, in degrees."""
    out = []
    for p in (v.reshape(-1, 3).mean(0, keepdims=True), v.reshape(-1, 3).astype(np.float32)):
        a, b = p[:, 0] - (p[:, 1] + p[:, 2]) / 2, math.sqrt(3) / 2 * (p[:, 1] - p[:, 2])
        out.append(float(np.degrees(np.arctan2(b.sum(), a.sum())) % 360))
    return out


def psnr(a, b):
    return float(-10 * np.log10((((a.astype(np.float32) - b) / 255) ** 2).mean() + 1e-9))


def beyond_colour(a, b):
    """Mean absolute difference of luma after both are brought to mean 0, deviation 1 (two unrelated pictures: 1.1)."""
    n = lambda v: (luma(v) - luma(v).mean()) / (luma(v).std() + 1e-4)
    return float(np.abs(n(a) - n(b)).mean())


def measure(models, mode, h, w, names, which, folder):
    out, rows = {n: [] for n in names}, []
    for number, (clean, noisy) in enumerate(clips(h, w)):
        if number not in which:
            continue
        made, seconds = {}, time.time()
        for n in names:
            made[n] = stream.Stream(models, PROMPTS[n], mode, seed=number).run(noisy)
            x = torch.from_numpy(clean).permute(0, 3, 1, 2) / 255
            target = (styles.STYLES[n](x).permute(0, 2, 3, 1) * 255).numpy()
            v = made[n]
            sat, chroma = saturation(v)
            out[n].append({"psnr": psnr(v, target), "base": psnr(noisy, target), "edge": correlation(gradient(v), gradient(noisy)), "saturation": sat, "chroma": chroma,
                           "hue": hue(v)[0], "hue_weighted": hue(v)[1], "from_photo": beyond_colour(v, made["photo"]),
                           "flicker": float(np.abs(v[1:].astype(int) - v[:-1]).mean()), "border": float(np.abs(v[13].astype(int) - v[12]).mean())})
        if "sketch" in made and "thermal" in made:
            out.setdefault("sketch_thermal", []).append({"beyond": beyond_colour(made["sketch"], made["thermal"])})
        seed = stream.Stream(models, "photo", mode, seed=99).run(noisy[:13])
        out.setdefault("seed", []).append({"change": float(np.abs(seed.astype(int) - made["photo"][:13]).mean())})
        if mode == "normal":
            scale = stream.Stream(models, "photo", mode, noise_scale=.5, seed=number).run(noisy[:13])
            out.setdefault("noise_scale", []).append({"change": float(np.abs(scale.astype(int) - made["photo"][:13]).mean())})
        rows.append(np.concatenate([noisy[20], *(v[20] for v in made.values())]))
        print(mode, w, h, number, round(time.time() - seconds), "s", flush=True)
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.concatenate(rows, 1)).save(folder / f"sheet-{mode}-{w}.png")
    means = {n: {k: round(float(np.mean([r[k] for r in v])), 3) for k in v[0]} for n, v in out.items() if v}
    ratio = lambda k: [round(b[k] / max(p[k], 1e-6), 3) for b, p in zip(out["bw"], out["photo"])]
    return {"mode": mode, "size": f"{w}x{h}", "bw_over_photo_saturation": ratio("saturation"), "bw_over_photo_chroma": ratio("chroma"), "sepia_hue": [round(r["hue"]) for r in out["sepia"]],
            "sepia_hue_weighted": [round(r["hue_weighted"]) for r in out["sepia"]], "edge": {n: [round(r["edge"], 2) for r in out[n]] for n in ("photo", "bw", "sepia")}, "mean": means}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--quick", action="store_true"), p.add_argument("--sheet", type=Path), p.add_argument("--threads", type=int, default=1)
    p.add_argument("--size", choices=["small", "large", "both"], default="both"), p.add_argument("--mode", choices=["normal", "vace", "both"], default="both")
    p.add_argument("--models", type=Path, default=OUT), p.add_argument("--clips", type=int, nargs="*", help="numbers of the clips, 0 to 3")
    a = p.parse_args()
    torch.set_num_threads(a.threads), stream.exact()
    models, results = stream.Models(a.models), []
    short = ["photo", "bw", "sepia", "sketch", "thermal"]
    plan = [(176, 320, list(PROMPTS), [1, 3] if a.quick else [0, 1, 2, 3]), (320, 576, short, [1, 2])]
    for h, w, names, which in plan[{"small": 0, "large": 1, "both": 0}[a.size]:1 if a.quick or a.size == "small" else 2]:
        for mode in ("normal", "vace") if a.mode == "both" else (a.mode,):
            results.append(measure(models, mode, h, w, names, a.clips or which, a.sheet))
            print(json.dumps(results[-1]), flush=True)
    (CACHE / f"results-{a.size}-{a.mode}.json").write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
