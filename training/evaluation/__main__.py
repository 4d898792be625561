"""npm run evaluate [-- --quick]: the figures and contact sheets of the model card, through the shipped runtime. See --help for parts of it."""
import argparse
import hashlib
import json
import sys
import time
from pathlib import Path

import torch

from .. import styles, tensors
from ..data import CACHE
from . import clips, looks, probes, report, sheets, speed
from .runner import ROOT, Runner

PROBES = ("mixes", "grades", "noise", "steps", "seeds", "references", "text", "controls", "unknown")
# Only where asked for.
LONG = ("drift", "speed")
PARTS = ("looks", "still", "autoencoder", *PROBES, *LONG)
# Frames of a clip and those that are held against the operators, by size: whole chunks in Normal mode, at most 12 over in VACE.
FRAMES = {"320x176": (37, [5, 12, 18, 24, 31]), "576x320": (25, [5, 12, 18])}
CLIPS = {"320x176": [*clips.PHOTOGRAPHS, *clips.PROCEDURAL], "576x320": [*clips.PHOTOGRAPHS, clips.PROCEDURAL[0]]}
CARD_SHEETS = ("320x176 operators", "320x176 normal", "320x176 vace", "noise scale", "mixes", "references", "text mode")
# Clips of the card's sheets of looks; other sheets go in whole.
CARD_CLIPS = ("astronaut", "coffee", "hand")
CARD_LIMIT = 250_000


def listed(allowed):
    def parse(text):
        given = text.split(",")
        wrong = [g for g in given if g not in allowed]
        if wrong:
            raise argparse.ArgumentTypeError(f"unknown: {', '.join(wrong)}; there are: {', '.join(allowed)}")
        return given
    return parse


def arguments():
    names = [*clips.PHOTOGRAPHS, *clips.PROCEDURAL]
    p = argparse.ArgumentParser(prog="npm run evaluate --", description=__doc__, epilog="Lists are comma-separated.")
    p.add_argument("--quick", action="store_true", help="one size, two clips, short probes: three minutes")
    p.add_argument("--model", type=Path, default=ROOT / "models/longlive-tiny", help="model folder")
    p.add_argument("--parts", type=listed(PARTS), help="of " + ", ".join(PARTS) + "; default: all but " + " and ".join(LONG))
    p.add_argument("--size", type=listed(clips.SIZES), help="of " + ", ".join(clips.SIZES)), p.add_argument("--modes", type=listed(("normal", "vace")), default=["normal", "vace"])
    p.add_argument("--looks", type=listed(styles.STYLES), default=list(styles.STYLES)), p.add_argument("--clips", type=listed(names), help="of " + ", ".join(names))
    p.add_argument("--drift", type=float, nargs="?", const=10, metavar="MINUTES", help="also drift over 10 (or so many) minutes of video a mode: long")
    p.add_argument("--sheets", type=Path, help="folder for contact sheets and results.json; default training/.cache/evaluation")
    p.add_argument("--card", action="store_true", help="write the table into the model's README.md"), p.add_argument("--card-sheets", action="store_true", help="and small sheets beside it")
    p.add_argument("--threads", type=int, help="of the runtime; default: as the server's")
    return p.parse_args()


def weights(folder):
    """What tells these weights from others: the transformer file's own words, or its digest."""
    path = folder / "transformer.safetensors"
    said = tensors.load(path)[1]
    named = {k: v for k, v in said.items() if k != "format"}
    return ", ".join(f"{k} {v}" for k, v in named.items()) or "sha256 " + hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def main():
    a = arguments()
    torch.set_num_threads(1)
    parts = a.parts or [p for p in PARTS if p not in LONG]
    if a.drift and "drift" not in parts:
        parts.append("drift")
    sizes = a.size or (["320x176"] if a.quick else list(clips.SIZES))
    began, folder = time.time(), a.sheets or CACHE / "evaluation"
    tell = lambda line: print(f"[{time.time() - began:4.0f} s] {line}", flush=True)
    result = {"weights": weights(a.model), "arguments": said(a), "sizes": {}, "probes": {}, "probe_size": sizes[0]}
    pictures = {}
    folder.mkdir(parents=True, exist_ok=True)
    # Written after every part, so that a run cut short is not lost.
    keep = lambda: (folder / "results.json").write_text(json.dumps(result, indent=1))
    with Runner(a.model, a.threads) as runner:
        for size in sizes:
            chosen = a.clips or (["astronaut", "face"] if a.quick else CLIPS[size])
            result["sizes"][size] = one_size(runner, size, a, parts, chosen, pictures, tell)
            keep()
        bench = probes.Bench(runner, [clips.clip(c, 25, *clips.SIZES[sizes[0]]) for c in (["astronaut"] if a.quick else ["astronaut", "face"])], a.looks, tell)
        for name in PROBES:
            if name in parts:
                result["probes"][name] = getattr(probes, name)(bench)
                keep()
        pictures.update(bench.sheets)
        if "drift" in parts:
            result["drift"] = probes.drift(runner, a.drift or 10, clips.SIZES[sizes[0]], tell)
    if "speed" in parts:
        result["speed"], pictures["speed"] = speed.measure(a.model, a.threads, sizes, a.looks, tell)
    keep()
    for name, made in pictures.items():
        h, w = next(iter(made.values())).shape[:2]
        sheets.save(sheets.sheet(made, (w // 2, h // 2) if w > 400 else (w * 3 // 4, h * 3 // 4)), folder / file_of(name))
    shown = [name for name in pictures if name in CARD_SHEETS] if a.card_sheets else []
    for name in shown:
        made = pictures[name]
        few = {at: picture for at, picture in made.items() if at[1] in CARD_CLIPS} or made
        sheets.save(sheets.sheet(few, (144, 80)), a.model / file_of(name), CARD_LIMIT)
    text = report.markdown(result, {name: file_of(name) for name in shown})
    print("\n" + text)
    if a.card:
        card = a.model / "README.md"
        card.write_text(report.into_card(card.read_text(), text))
    tell(f"done; sheets and results.json are in {folder}")


def file_of(sheet):
    return sheet.replace(" ", "-") + ".jpg"


def said(a):
    """The arguments that change figures, as given."""
    words = ["--quick"] if a.quick else []
    for name in ("parts", "size", "looks", "clips", "modes"):
        value = getattr(a, name)
        if value and value not in (list(styles.STYLES), ["normal", "vace"]):
            words += [f"--{name}", ",".join(value)]
    return " ".join(words + ([f"--drift {a.drift:g}"] if a.drift else []))


def one_size(runner, size, a, parts, chosen, pictures, tell):
    """Looks, still scene and autoencoder at one size; contact sheets go into `pictures`."""
    (frames, at), made = FRAMES[size], {"modes": {}}
    if a.quick:
        frames, at = 25, at[:3]
    width, height = clips.SIZES[size]
    moving = [clips.clip(c, frames, width, height) for c in chosen]
    still = clips.still("astronaut", 37, width, height)
    if {"autoencoder", "still"} & set(parts):
        made["autoencoder"] = looks.autoencoder(runner, moving, still, tell)
    if "looks" in parts:
        records = []
        for clip in moving:
            found, shown = looks.measure(runner, clip, at, a.looks, a.modes, tell)
            records += found
            for (kind, look), picture in shown.items():
                for mode in ("target", *a.modes):
                    if kind in ("input", mode):
                        name = f"{size} {'operators' if mode == 'target' else mode}"
                        pictures.setdefault(name, {})[look or "input", clip.name] = picture
        made["modes"] = {mode: looks.summary(records, a.looks, mode) for mode in a.modes}
    if "still" in parts:
        made["flicker"] = looks.flicker(runner, still, a.looks, a.modes, made["autoencoder"]["still"], tell)
    return made


if __name__ == "__main__":
    main()
