"""What each way to be faster costs: time of a chunk beside the looks' distance and structure and a still scene's change, as shipped and in other ways."""
import contextlib
import json
import tempfile
from pathlib import Path

import numpy as np

from . import clips, metrics
from .looks import Targets, ahead, keyword
from .probes import STEPS, some
from .runner import AUTOENCODER, MODES, Runner

SHIPPED = "as shipped"
FRAMES, AT = 25, [14, 18]
# On the contact sheet.
SHOWN = ("sketch", "neon", "oil")
# Chunks of a timed run, those before the first that counts, and runs of each case, in turn.
CHUNKS, SETTLE, ROUNDS = 8, 2, 4


def unchanged(config):
    pass


def floats(config):
    config["transformer"]["linears"] = config["vae"]["linears"] = "f32"


def uneven(config):
    config["even_pictures"] = False


def window(rows, columns):
    def edit(config):
        config["transformer"].update(attention_window=[rows, columns], attention_whole=[rows, columns])
    return edit


def whole(config):
    for key in ("attention_window", "attention_whole"):
        config["transformer"].pop(key, None)


# Name, edit of config.json, live parameters, sizes where it differs from what is shipped.
CASES = (
    (SHIPPED, unchanged, {}, tuple(clips.SIZES)),
    ("1 step", unchanged, {"denoising_step_list": STEPS[1]}, tuple(clips.SIZES)),
    ("4 steps", unchanged, {"denoising_step_list": STEPS[4]}, tuple(clips.SIZES)),
    ("linear layers in float32", floats, {}, tuple(clips.SIZES)),
    ("pictures not evened out", uneven, {}, tuple(clips.SIZES)),
    ("6x10 tokens attended to", window(6, 10), {}, tuple(clips.SIZES)),
    ("11x20 tokens attended to", window(11, 20), {}, ("576x320",)),
    ("all tokens attended to", whole, {}, ("576x320",)),
)


def variant(model, edit, folder):
    """A model folder with another config.json and the same weights."""
    folder.mkdir()
    for path in Path(model).resolve().iterdir():
        if path.suffix in (".safetensors", ".json") and path.name != "config.json":
            (folder / path.name).symlink_to(path)
    config = json.loads((Path(model) / "config.json").read_text())
    edit(config)
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def measure(model, threads, sizes, looks, tell):
    """By size, case and mode: ms of a chunk, the same over what is shipped, distance, structure, still; and the pictures of a contact sheet."""
    chosen, result, sheet = some(looks, ("photo", "sketch", "neon", "oil", "anime", "gold")), {}, {}
    with tempfile.TemporaryDirectory(prefix="speed-") as folder, contextlib.ExitStack() as stack:
        edits = dict.fromkeys(edit for _, edit, _, _ in CASES)
        runners = {edit: stack.enter_context(Runner(variant(model, edit, Path(folder) / str(i)), threads)) for i, edit in enumerate(edits)}
        for size in sizes:
            cases = [(name, runners[edit], parameters) for name, edit, parameters, where in CASES if size in where]
            result[size] = {name: {} for name, _, _ in cases}
            tried = [(c, Targets(c.clean, AT, chosen)) for c in (clips.clip(name, FRAMES, *clips.SIZES[size]) for name in ("astronaut", "face"))]
            still = clips.still("astronaut", FRAMES, *clips.SIZES[size])
            alone = flicker(runners[unchanged], AUTOENCODER, "", still)
            for mode in ("normal", "vace"):
                timed = times(cases, mode, clips.SIZES[size], keyword(chosen[-1]))
                for name, runner, changed in cases:
                    parameters = {**MODES[mode], **changed}
                    figures, shown = quality(runner, parameters, tried, chosen)
                    lively = [flicker(runner, parameters, keyword(look), still) for look in chosen]
                    result[size][name][mode] = {**timed[name], **figures, "still": float(np.mean(lively)) / alone}
                    sheet.update({(f"{size} {name}", f"{look} ({mode})"): picture for look, picture in shown.items() if look in some(looks, SHOWN)})
                tell(f"speed at {size}, {mode}: " + ", ".join(f"{name} {r[mode]['ms']:.0f} ms, distance {r[mode]['distance']:.2f}" for name, r in result[size].items()))
    return result, sheet


def times(cases, mode, size, text):
    """Median ms of a chunk, and the median over the rounds of its ratio to what is shipped. Nothing else runs meanwhile; all take turns."""
    video, rounds = clips.loop("astronaut", FRAMES - 1, *size).given, {name: [] for name, _, _ in cases}
    for _ in range(ROUNDS):
        for name, runner, changed in cases:
            out = runner.submit({**MODES[mode], **changed}, text, video, chunks=CHUNKS, keep=[0]).result()
            rounds[name].append(float(np.median(out.chunk_ms[SETTLE:])))
    return {name: {"ms": float(np.median(ms)), "ratio": float(np.median(np.divide(ms, rounds[SHIPPED])))} for name, ms in rounds.items()}


def quality(runner, parameters, tried, chosen):
    """Over the looks and clips: distance to the look, structure over the operator's own; and a picture of each look on the first clip."""
    distances, kept, own, shown = [], [], [], {}
    for clip, targets in tried:
        for look, out in ahead([(look, lambda l=look: runner.submit(parameters, keyword(l), clip.given)) for look in chosen]):
            distances.append(targets.distances(out.frames)[look])
            kept.append(targets.structure_of(out.frames)), own.append(targets.structure[look])
            shown.setdefault(look, targets.middle(out.frames))
    return {"distance": float(np.mean(distances)), "structure": float(np.mean(kept) / np.mean(own))}, shown


def flicker(runner, parameters, text, still):
    out = runner.submit(parameters, text, still.given).result()
    return metrics.flicker(out.frames, out.starts)
