"""Every look on every clip: is it the right one, does the input's structure survive, does a still scene stay still, are chunks seamless?"""
from collections import deque

import numpy as np
import torch

from .. import styles
from . import clips, metrics
from .runner import AUTOENCODER, MODES

SEAM = ("chunk", "group", "inside")


def ahead(jobs, count=2):
    """The results of (key, submit) pairs in order, with a few jobs under way before they are needed."""
    waiting = deque()
    for key, submit in jobs:
        waiting.append((key, submit()))
        if len(waiting) > count:
            key, future = waiting.popleft()
            yield key, future.result()
    for key, future in waiting:
        yield key, future.result()


def keyword(look):
    from .. import prompts
    words = getattr(prompts, "KEYWORD", {})
    return words[look] if look in words else prompts.PHRASES[look].split("|")[0] if look in prompts.PHRASES else look


def operate(look, pictures):
    """The operator's result, u8 [n, h, w, 3]."""
    x = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2) / 255
    with torch.no_grad():
        return (styles.STYLES[look](x).clamp(0, 1).permute(0, 2, 3, 1) * 255 + .5).byte().numpy()


class Targets:
    """Every operator's result of a few pictures of a clip."""

    def __init__(self, clean, at, names=None):
        self.at, self.source = list(at), clean[list(at)]
        self.quarter, self.structure, self.sample = {}, {}, {}
        for name in names or styles.STYLES:
            made = operate(name, self.source)
            self.quarter[name], self.structure[name] = metrics.quarter(made), metrics.structure(made, self.source)
            self.sample[name] = made[len(made) // 2]

    def distances(self, pictures):
        """Distance of the video's pictures to every look's result."""
        q = metrics.quarter(pictures[self.at])
        return {name: metrics.quarter_distance(q, target) for name, target in self.quarter.items()}

    def structure_of(self, pictures):
        return metrics.structure(pictures[self.at], self.source)

    def middle(self, pictures):
        return pictures[self.at[len(self.at) // 2]]


def measure(runner, clip, at, looks, modes, tell):
    """One record a mode and look; and the pictures of the contact sheets by (mode, look)."""
    targets, records, sheet = Targets(clip.clean, at), [], {("input", ""): clip.given[at[len(at) // 2]]}
    sheet.update({("target", look): targets.sample[look] for look in looks})
    jobs = [((mode, look), lambda m=mode, l=look: runner.submit(MODES[m], keyword(l), clip.given)) for mode in modes for look in looks]
    for (mode, look), out in ahead(jobs):
        d = targets.distances(out.frames)
        record = {"clip": clip.name, "mode": mode, "look": look, "distances": d, "nearest": min(d, key=d.get), "structure": targets.structure_of(out.frames), "own_structure": targets.structure[look],
                  "chunk_ms": float(np.median(out.chunk_ms[1:] or out.chunk_ms))}
        if clip.photograph and len(out.starts) > 2:
            record["seam"] = metrics.seams(out.frames, out.starts)
        records.append(record)
        sheet[mode, look] = targets.middle(out.frames)
    tell(f"{clip.name} {clip.given.shape[2]}x{clip.given.shape[1]}: " + ", ".join(f"{m} {sum(r['nearest'] == r['look'] for r in records if r['mode'] == m)}/{len(looks)} right" for m in modes))
    return records, sheet


def summary(records, looks, mode):
    """Per look, all clips together, and over the looks."""
    rows = {}
    for look in looks:
        mine = [r for r in records if r["look"] == look and r["mode"] == mode]
        d = {name: float(np.mean([r["distances"][name] for r in mine])) for name in mine[0]["distances"]}
        other = min((n for n in d if n != look), key=d.get)
        own, source = (float(np.mean([r[k] for r in mine])) for k in ("own_structure", "structure"))
        rows[look] = {"right": d[look] < d[other], "clips_right": sum(r["nearest"] == look for r in mine), "clips": len(mine), "distance": d[look], "input": d.get("photo"), "other": other, "other_distance": d[other],
                      "structure": source, "own_structure": own}
    # Of looks that leave hardly any of the input's edges, such as mosaic, a ratio says nothing.
    ratios = {look: r["structure"] / r["own_structure"] for look, r in rows.items() if r["own_structure"] >= .2}
    lowest = min(ratios, key=ratios.get)
    mean = lambda key: float(np.mean([r[key] for r in rows.values()]))
    out = {"looks": rows, "right": sum(r["right"] for r in rows.values()), "count": len(rows), "structure_ratio": mean("structure") / mean("own_structure"),
           "structure_lowest": [lowest, ratios[lowest]], "chunk_ms": float(np.median([r["chunk_ms"] for r in records if r["mode"] == mode]))}
    seams = [r["seam"] for r in records if r["mode"] == mode and "seam" in r]
    if seams:
        out.update(seam_summary(seams))
    return out


def seam_summary(seams):
    """Of videos with the same weight each: the chunk border's change over that inside chunks (the seam ratio) and over that of inner group borders."""
    ratio = lambda a, b: float(np.mean([s[a] / max(s[b], 1e-6) for s in seams]))
    return {"seam": ratio("chunk", "inside"), "seam_to_groups": ratio("chunk", "group"), "groups": ratio("group", "inside")}


def autoencoder(runner, moving, still, tell):
    """PSNR of what it makes of clean moving clips, its own seams, and what it leaves of a still scene's noise."""
    rows, seams = {}, []
    for clip in moving:
        out = runner.submit(AUTOENCODER, "", clip.clean).result()
        rows[clip.name] = metrics.psnr(out.frames, clip.clean[:len(out.frames)])
        if clip.photograph and len(out.starts) > 2:
            seams.append(metrics.seams(out.frames, out.starts))
    photographs = [rows[c.name] for c in moving if c.photograph]
    out = runner.submit(AUTOENCODER, "", still.given).result()
    result = {"psnr": rows, "psnr_photographs": float(np.mean(photographs)) if photographs else None, "still": metrics.flicker(out.frames, out.starts),
              "still_input": metrics.flicker(still.given, out.starts), **(seam_summary(seams) if seams else {})}
    tell(f"autoencoder: {result['psnr_photographs'] or 0:.2f} dB on photographs, still scene {result['still_input']:.2f} -> {result['still']:.2f}")
    return result


def flicker(runner, still, looks, modes, alone, tell):
    """Change of a still scene in every look, over that of the autoencoder alone; beside it the operator applied to the autoencoder's video."""
    base = runner.submit(AUTOENCODER, "", still.given).result()
    last = base.frames[-8:]
    result = {"operator": {look: float(metrics.changes(operate(look, last)).mean()) / alone for look in looks}}
    jobs = [((mode, look), lambda m=mode, l=look: runner.submit(MODES[m], keyword(l), still.given)) for mode in modes for look in looks]
    for (mode, look), out in ahead(jobs):
        result.setdefault(mode, {})[look] = metrics.flicker(out.frames, out.starts) / alone
    for mode in modes:
        v = result[mode]
        worst = max(v, key=v.get)
        tell(f"still scene {still.given.shape[2]}x{still.given.shape[1]}, {mode}: {np.mean(list(v.values())):.2f} of the autoencoder alone, at most {v[worst]:.2f} ({worst})")
    return result
