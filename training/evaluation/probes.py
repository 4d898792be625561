"""What prompts, noise, steps, seeds and references do; video without an input; ten minutes. Each probe on a few looks and clips, at one size."""
import numpy as np

from . import clips, metrics
from .looks import Targets, ahead, keyword, operate
from .runner import AUTOENCODER, CHUNK, MODES, first_frames

UNKNOWN = ("", "xqzt blorpo", "zebra", "make me a zombie", "my dog rides a bicycle", "Überraschung 日本 🎉")
STEPS = {1: [700], 2: [700, 500], 3: [750, 500, 250], 4: [1000, 750, 500, 250]}
NOISE_SCALES = (.2, .35, .5, .7, .9)
WEIGHTS = (0, .25, .5, .75, 1)
GRADES = ("slightly {}", "a little {}", "{}", "strongly {}", "very {}")


class Bench:
    """What every probe needs: the runner, a few clips with all looks' results, the looks to try, and a place for pictures."""

    def __init__(self, runner, tried, looks, tell):
        self.runner, self.clips, self.looks, self.tell, self.sheets = runner, tried, looks, tell, {}
        self.at = [14, 18] if len(tried[0].clean) >= 21 else [6, 8]
        self.targets = [Targets(c.clean, self.at) for c in tried]

    def make(self, cases):
        """cases: (key, clip's number, parameters, prompts[, references]); yields (key, number, frames)."""
        def job(number, parameters, prompts, references=None):
            return lambda: self.runner.submit(parameters, prompts, self.clips[number].given, references=references)
        for (key, number), out in ahead([((key, number), job(number, *more)) for key, number, *more in cases]):
            yield key, number, out.frames

    def picture(self, sheet, row, column, number, frames):
        if number == 0:
            self.sheets.setdefault(sheet, {})[row, column] = frames[self.at[0]]


def some(looks, wanted):
    """Those of the wanted looks that there are; or the first that are not photo."""
    return [w for w in wanted if w in looks] or [l for l in looks if l != "photo"][:2]


def mixes(bench):
    """Two looks by weight: with the second's share the distance to the first's result should grow and that to the second's fall."""
    pairs = [p for p in (("bw", "neon"), ("sketch", "sunset"), ("sepia", "ice"), ("oil", "thermal"), ("gold", "water")) if set(p) <= set(bench.looks)] or [tuple(some(bench.looks, ())[:2])]
    cases = [((mode, pair, w), 0, MODES[mode], [(keyword(pair[0]), 1 - w), (keyword(pair[1]), w)]) for mode in ("normal", "vace") for pair in pairs for w in WEIGHTS if len(pair) == 2]
    found = {}
    for (mode, pair, w), number, frames in bench.make(cases):
        d = bench.targets[number].distances(frames)
        found.setdefault((mode, pair), []).append((d[pair[0]], d[pair[1]]))
        bench.picture("mixes", f"{pair[0]} - {pair[1]} ({mode})", f"{w:.2f}", number, frames)
    rows, steps = [], {"normal": [], "vace": []}
    for (mode, pair), d in found.items():
        a, b = np.array(d).T
        up = [*(np.diff(a) > 0), *(np.diff(b) < 0)]
        steps[mode] += up
        # Half-way means neither look wins: 0 all the first, 1 all the second.
        rows.append({"mode": mode, "pair": pair, "first": a.tolist(), "second": b.tolist(), "monotone": bool(all(up)), "halfway": float((a[2] - a[0]) / max(a[4] - a[0], 1e-6))})
    result = {mode: float(np.mean(s)) for mode, s in steps.items() if s}
    bench.tell("mixes, share of steps in the right direction: " + str(result))
    return {"share": result, "rows": rows}


def grades(bench):
    """How far from the input a graded word goes, of the way of the plain one."""
    chosen = some(bench.looks, ("bw", "sketch", "neon", "oil", "sunset", "blueprint"))
    cases = [((mode, look, g), n, MODES[mode], g.format(keyword(look))) for mode in ("normal", "vace") for look in chosen for g in GRADES for n in range(len(bench.clips))]
    found = {}
    for (mode, look, g), n, frames in bench.make(cases):
        found.setdefault((mode, look, g), []).append(bench.targets[n].distances(frames)["photo"])
        bench.picture("grades", f"{look} ({mode})", g.format("..."), n, frames)
    ratio = lambda mode, g: float(np.mean([np.mean(found[mode, l, g]) / np.mean(found[mode, l, "{}"]) for l in chosen]))
    result = {mode: {g.format("X"): ratio(mode, g) for g in GRADES} for mode in ("normal", "vace")}
    bench.tell("graded words, distance to the input over the plain word's: " + str({m: {k: round(v, 2) for k, v in r.items()} for m, r in result.items()}))
    return result


def noise(bench):
    """noise_scale in Normal mode: distance to the input and to the look's result, structure; and how much comes from the noise: what another seed changes."""
    chosen = some(bench.looks, ("photo", "bw", "sketch", "neon", "oil", "anime"))
    cases = [((look, s), n, {**MODES["normal"], "noise_scale": s}, keyword(look)) for look in chosen for s in NOISE_SCALES for n in range(len(bench.clips))]
    rows, first = {s: [] for s in NOISE_SCALES}, {}
    for (look, s), n, frames in bench.make(cases):
        if n == 0:
            first[look, s] = frames
        d = bench.targets[n].distances(frames)
        rows[s].append((d["photo"] if look != "photo" else np.nan, d[look], bench.targets[n].structure_of(frames)))
        bench.picture("noise scale", look, f"{s}", n, frames)
    result = {str(s): dict(zip(("input", "look", "structure"), np.nanmean(v, 0).tolist())) for s, v in rows.items()}
    jobs = [((look, s), lambda l=look, s=s: bench.runner.submit({**MODES["normal"], "noise_scale": s}, keyword(l), bench.clips[0].given, seed=1)) for look in chosen[:3] for s in NOISE_SCALES]
    changes = {key: np.abs(out.frames.astype(np.int16) - first[key]).mean() for key, out in ahead(jobs)}
    for s in NOISE_SCALES:
        result[str(s)]["invented"] = float(np.mean([v for key, v in changes.items() if key[1] == s]))
    bench.tell("noise_scale: " + ", ".join(f"{s}: input {r['input']:.1f} look {r['look']:.1f} structure {r['structure']:.2f} invented {r['invented']:.1f}" for s, r in result.items()))
    return result


def steps(bench):
    """Lists of 1 to 4 denoising steps: distance to the look's result."""
    chosen = some(bench.looks, ("photo", "bw", "sketch", "neon", "oil", "anime"))
    cases = [((mode, count, look), n, {**MODES[mode], "denoising_step_list": STEPS[count]}, keyword(look)) for mode in ("normal", "vace") for count in STEPS for look in chosen for n in range(len(bench.clips))]
    found = {}
    for (mode, count, look), n, frames in bench.make(cases):
        found.setdefault((mode, count), []).append(bench.targets[n].distances(frames)[look])
        bench.picture("steps", f"{look} ({mode})", f"{count}", n, frames)
    result = {mode: {count: float(np.mean(found[mode, count])) for count in STEPS} for mode in ("normal", "vace")}
    bench.tell("distance to the look by steps: " + str({m: {k: round(v, 2) for k, v in r.items()} for m, r in result.items()}))
    return result


def seeds(bench):
    """Three seeds: spread of the distance to the look, and how much pixels differ."""
    chosen, result = some(bench.looks, ("photo", "sketch", "neon")), {}
    for mode in ("normal", "vace"):
        spread, change = [], []
        for look in chosen:
            made = [bench.runner.submit(MODES[mode], keyword(look), bench.clips[0].given, seed=s).result().frames for s in (1, 2, 3)]
            d = [bench.targets[0].distances(v)[look] for v in made]
            spread.append(np.ptp(d) / np.mean(d))
            change.append(np.abs(made[0].astype(np.int16) - made[1]).mean())
        result[mode] = {"spread": float(np.mean(spread)), "change": float(np.mean(change))}
    bench.tell("seeds: " + str(result))
    return result


def references(bench):
    """Reference images beside the input (VACE) and over noised input: the mean colour's way to the reference's, against the same prompt without one;
    the palette's; and with a reference in a look and no prompt, whether that look is the nearest."""
    size = bench.clips[0].given.shape[2], bench.clips[0].given.shape[1]
    pictures = {"coffee": clips.picture("coffee", *size), "rocket": clips.picture("rocket", *size), "orange": np.full((64, 64, 3), (230, 130, 40)), "leaves": clips.procedural("screen", 2, *size).clean[0]}
    pictures = {k: np.asarray(v).astype(np.uint8) for k, v in pictures.items()}
    inked = some(bench.looks, ("sketch", "neon", "thermal", "blueprint"))
    shown = clips.procedural("hand", 2, *size).clean[:1]
    styled = {look: operate(look, shown)[0] for look in inked}
    ways, result = {"vace": MODES["vace"], "normal": {**MODES["normal"], "vace_enabled": True, "vace_use_input_video": False}}, {}
    ink = some(bench.looks, ("sketch",))[0]
    for mode, parameters in ways.items():
        prompts = {"": "", ink: keyword(ink)}
        cases = [((p, None), n, parameters, text) for p, text in prompts.items() for n in range(len(bench.clips))]
        cases += [((p, k), n, parameters, text, [v]) for p, text in prompts.items() for k, v in pictures.items() for n in range(len(bench.clips))]
        cases += [((None, look), n, parameters, "", [v]) for look, v in styled.items() for n in range(len(bench.clips))]
        base, ways_gone, palette, right = {}, [], [], []
        for (p, k), n, frames in bench.make(cases):
            now = frames[bench.at]
            if k is None:
                base[p, n] = now
            elif p is None:
                d = bench.targets[n].distances(frames)
                right.append(min(d, key=d.get) == k)
            elif p == "":
                ways_gone.append(metrics.toward(base[p, n], now, pictures[k][None]))
                palette.append(metrics.palette_distance(now, pictures[k][None]) / max(metrics.palette_distance(base[p, n], pictures[k][None]), 1e-6))
            bench.picture("references", f"prompt '{p or ''}' ({mode})" if p is not None else f"reference's look ({mode})", k or "none", n, frames)
        result[mode] = {"toward": float(np.mean(ways_gone)), "toward_lowest": float(np.min(ways_gone)), "palette_left": float(np.mean(palette)), "look_right": float(np.mean(right))}
    for k, v in {**pictures, **styled}.items():
        bench.sheets["references"]["reference", k] = v
    bench.tell("references: " + str({m: {k: round(v, 2) for k, v in r.items()} for m, r in result.items()}))
    return result


def text(bench):
    """Prompt only. The picture made by the photo prompt with the same seed stands for the clean input. Deviations in hundredths of full scale; change
    from picture to picture of 255."""
    size = bench.clips[0].given.shape[2], bench.clips[0].given.shape[1]
    submit = lambda look, seed: bench.runner.submit(MODES["text"], keyword(look), size=size, chunks=3, seed=seed).result().frames
    rows, right = [], []
    for seed in (1, 2):
        plain = submit("photo", seed)
        targets = Targets(plain, [6, 16, 28])
        for look in bench.looks:
            v = plain if look == "photo" else submit(look, seed)
            d = targets.distances(v)
            nearest = min(d, key=d.get)
            if look != "photo":
                right.append(nearest == look)
            rows.append({"look": look, "seed": seed, "nearest": nearest, "space": float(v.astype(np.float32).std((1, 2)).mean() / 2.55), "time": float(metrics.changes(v).mean()),
                         "second": float(np.abs(v[32].astype(int) - v[8]).mean() / 2.55), "saturation": float(np.ptp(v.astype(np.int16), axis=-1).mean() / 2.55)})
            if seed == 1:
                bench.sheets.setdefault("text mode", {}).update({(look, f"frame {i}"): v[i] for i in (0, 8, 20, 32)})
    result = {"right": float(np.mean(right)), **{k: float(np.mean([r[k] for r in rows])) for k in ("space", "time", "second", "saturation")}, "space_lowest": min(r["space"] for r in rows), "rows": rows}
    bench.tell("text mode: " + str({k: round(v, 2) for k, v in result.items() if k != "rows"}))
    return result


def controls(bench):
    """Depth- and edge-like control videos as the condition: looks right, and structure over the operator's own."""
    h, w = bench.clips[0].given.shape[1:3]
    chosen, right, kept = some(bench.looks, ("photo", "bw", "sepia", "neon", "gold", "thermal", "blueprint", "ice", "oil", "fire")), [], []
    for clip in clips.controls(21, w, h):
        targets = Targets(clip.clean, bench.at)
        bench.sheets.setdefault("controls", {})["input", clip.name] = clip.given[bench.at[0]]
        for look in chosen:
            v = bench.runner.submit(MODES["vace"], keyword(look), clip.given).result().frames
            d = targets.distances(v)
            right.append(d[look] <= min(d.values()) * 1.0001)
            kept.append((targets.structure_of(v), targets.structure[look]))
            bench.sheets["controls"][look, clip.name] = v[bench.at[0]]
    result = {"right": float(np.mean(right)), "structure_ratio": float(np.divide(*np.mean(kept, 0)))}
    bench.tell("control videos: " + str(result))
    return result


def unknown(bench):
    """Prompts without a known look: distance to the input beside that of the word for photo, and the nearest look."""
    result = {}
    for mode in ("normal", "vace"):
        plain, rows = bench.targets[0].distances(bench.runner.submit(MODES[mode], keyword("photo"), bench.clips[0].given).result().frames)["photo"], {}
        for prompt in UNKNOWN:
            v = bench.runner.submit(MODES[mode], prompt, bench.clips[0].given).result().frames
            d = bench.targets[0].distances(v)
            rows[prompt] = {"input": d["photo"], "nearest": min(d, key=d.get)}
            bench.picture("unknown words", mode, prompt or "(empty)", 0, v)
        result[mode] = {"photo": plain, "prompts": rows}
    bench.tell("unknown words, distance to the input (photo's): " + str({m: [round(r["photo"], 1), *(round(p["input"], 1) for p in r["prompts"].values())] for m, r in result.items()}))
    return result


def drift(runner, minutes, size, tell):
    """A loop of five seconds, over and over: the last minute's distance to the look against the first minute's, at the same places of the loop."""
    result, period = {}, 10
    clip = clips.loop("astronaut", period * CHUNK, *size)
    for mode, look in (("normal", "oil"), ("vace", "sketch")):
        chunks, minute = round(minutes * 60 * clips.FPS / CHUNK), 60 * clips.FPS // CHUNK
        spread = lambda begin: [begin + 13 * i for i in range((minute - 1) // 13)]
        first, last = spread(2), spread((chunks - minute) // period * period + 2)
        offset = first_frames(MODES[mode]) - CHUNK
        v = runner.submit(MODES[mode], keyword(look), clip.given, chunks=chunks, keep=[*first, *last]).result().frames
        scores = []
        for part, begin in ((first, 0), (last, len(first))):
            # One picture a chunk; the second sits at the same place of the loop in both minutes.
            shown = v[[(begin + i) * CHUNK + 5 for i in range(len(part))]]
            source = clip.clean[[(offset + c * CHUNK + 5) % len(clip.clean) for c in part]]
            scores.append(metrics.distance(shown, operate(look, source)))
        result[mode] = {"look": look, "minutes": minutes, "first": scores[0], "last": scores[1], "ratio": scores[1] / scores[0]}
        tell(f"drift, {mode}, {look}: minute 1 {scores[0]:.2f}, minute {minutes:g} {scores[1]:.2f}")
    return result
