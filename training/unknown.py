"""Last stage, text encoder: python3 -m training.unknown [--steps 3000].

Prompts that ask for something unknown ("make me a zombie") are to mean photo, but the text encoder, which has seen few of them, drifts towards looks.
Trained on alone, without the transformer's backward pass: what matters of a text is what the transformer's cross attentions read from it. So queries are
kept of a few streams, and the attentions' answers to known prompts are to stay as the encoder before gave them, while those to unknown ones are to be its
answers to the empty prompt. Takes the last export's folder and the checkpoint behind it; writes transformer.pt, whose text encoder is then the new one.
"""
import argparse
import copy

import numpy as np
import torch

from . import prompts, scenes, styles
from .data import CACHE
from .export import OUT
from .stream import Models, Stream
from .transformer import HEAD, HEADS, CrossAttention

FILE, SEED = CACHE / "transformer.pt", 11
RATE, KNOWN, UNKNOWN, MIXED = 3e-4, 48, 40, 8
QUERIES, STREAMS = 16, 24
#: of {p}, something that no look is named after
ASKS = "make me {p}|make me a {p}|make me look like a {p}|turn me into {p}|turn me into a {p}|turn {s} into a {p}|{s} as a {p}|a {p}|{p}|transform everything into {p}|i am a {p}|{s} becomes a {p}|as a {p}|{s} is a {p}|show me as a {p}|" \
       "a {p} in the style of a {p}|make this a {p} world|put me in a {p}|{p} style|{p} version of me|look like {p}|make {s} a {p}|change me to a {p}|like a {p}|the {p}|my {p}".split("|")


def unknown(rng):
    """A prompt that asks for something, but for no look."""
    words = [prompts.pick(rng, prompts.FILLER) if rng.random() < .6 else prompts.invented(rng) for _ in range(int(rng.choice([1, 2, 3], p=[.65, .25, .1])))]
    ask = prompts.pick(rng, ASKS if rng.random() < .75 else prompts.TEMPLATES)
    return prompts.adorned(rng, ask.replace("{p}", " ".join(words)).replace("{s}", prompts.pick(rng, prompts.SUBJECTS)))


def known(rng):
    style = str(rng.choice(styles.NAMES))
    kind = rng.random()
    return prompts.graded(rng, style)[0] if kind < .85 else prompts.neutral(rng) if kind < .93 else prompts.reference(rng)


@torch.no_grad()
def queries(models, rng):
    """[n, HEADS, HEAD] of each cross attention, in the order of the modules, from streams of all modes and looks."""
    kept = {module: [] for module in models.transformer.modules() if isinstance(module, CrossAttention)}

    def keep(module, inputs):
        x = inputs[0][0, torch.from_numpy(rng.choice(inputs[0].shape[1], 4, replace=False))]
        kept[module].append(module.norm_q(module.q(x)).view(-1, HEADS, HEAD))
    hooks = [module.register_forward_pre_hook(keep) for module in kept]
    for i in range(STREAMS):
        stream = Stream(models, known(rng) if rng.random() < .7 else unknown(rng), ["normal", "vace", "text"][i % 3], float(rng.uniform(.3, .9)), seed=i)
        _, noisy = scenes.clip(rng, 13, 128, 128)
        stream.chunk(noisy)
    for hook in hooks:
        hook.remove()
    return [(module, torch.cat(rows)[:: max(1, sum(map(len, rows)) // QUERIES)][:QUERIES]) for module, rows in kept.items()]


def answers(net, asked, rows):
    """What each cross attention gives for its queries and texts [b, LENGTH, DIM]: a list of [b, n, D]."""
    text = net.text_embedding(rows)
    given = []
    for module, q in asked:
        k, v = module.norm_k(module.k(text)).view(*text.shape[:2], HEADS, HEAD), module.v(text).view(*text.shape[:2], HEADS, HEAD)
        p = (torch.einsum("nhd,bmhd->bhnm", q, k) * HEAD ** -.5).softmax(-1)
        given.append(module.o(torch.einsum("bhnm,bmhd->bnhd", p, v).flatten(2)))
    return given


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--steps", type=int, default=3000), p.add_argument("--model", default=str(OUT))
    a = p.parse_args()
    torch.manual_seed(SEED)
    rng = np.random.default_rng(SEED)
    models = Models(a.model)
    net, before, tokens = models.transformer.requires_grad_(False), models.text.requires_grad_(False), models.tokenizer.batch
    text = copy.deepcopy(before).requires_grad_(True)
    asked = queries(models, rng)
    with torch.no_grad():
        spread = [x.var(0).mean() for x in answers(net, asked, before(*tokens([known(rng) for _ in range(200)])))]
        empty = answers(net, asked, before(*tokens([""])))
        held = tokens([known(rng) for _ in range(300)]), tokens([unknown(rng) for _ in range(300)])

    def errors(batch, wanted):
        return sum((x - y).square().mean() / s for x, y, s in zip(answers(net, asked, text(*batch)), wanted, spread)) / len(spread)

    def report(step):
        with torch.no_grad():
            print(f"step {step}: known {errors(held[0], answers(net, asked, before(*held[0]))):.4f}, unknown {errors(held[1], empty):.4f}", flush=True)
    report(0)
    adam = torch.optim.Adam(text.parameters(), RATE, betas=(.9, .99))
    for step in range(1, a.steps + 1):
        adam.param_groups[0]["lr"] = RATE * min(1, step / 50) * max(.02, 1 - step / a.steps)
        batch, others = tokens([known(rng) for _ in range(KNOWN)]), tokens([unknown(rng) for _ in range(UNKNOWN)])
        with torch.no_grad():
            wanted = answers(net, asked, before(*batch))
        loss = 4 * errors(batch, wanted) + errors(others, empty)
        adam.zero_grad(), loss.backward(), adam.step()
        if step % 250 == 0:
            report(step)
    saved = torch.load(FILE, map_location="cpu")
    saved["ema"]["text"], saved["unknown"] = text.state_dict(), f"{a.steps} steps more for unknown prompts"
    torch.save(saved, FILE)


if __name__ == "__main__":
    main()
