"""Transformer: python3 -m training.train [--minutes 80] [--processes 2].

Trains the transformer, its VACE branch and the text encoder together on latents. The schedule runs by elapsed time: small crops first, then larger
ones and whole pictures, lastly with the model's own predictions as the input of later steps. Starts from start.pt if there is one (see warm.py),
resumes from its checkpoint; time already spent counts.
"""
import argparse
import subprocess
import sys
import time
from collections import defaultdict

import numpy as np
import torch

from . import workers
from .codes import codes
from .data import CACHE
from .export import v_scale
from .flicker import Flicker
from .mottle import Mottle
from .muon import Muon
from .pool import Pool
from .sampler import Sampler
from .text_encoder import DIM as TEXT
from .text_encoder import TextEncoder
from .transformer import Transformer

LR, FILE, START = 1.6e-3, CACHE / "transformer.pt", CACHE / "start.pt"
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
SMALL, LATE = .58, .7
OWN = .5  # of the last steps, those that start from the model's own predictions
CALM, EVEN = .7, .5  # weights of the parts of an error that flicker and that show as blotches


def move(b):
    if DEVICE == "cpu":
        return b
    b = {k: v.to(DEVICE) if torch.is_tensor(v) else v for k, v in b.items()}
    b["context"] = [c._replace(latents=c.latents.to(DEVICE), lead=None if c.lead is None else c.lead.to(DEVICE)) for c in b["context"]]
    return b


class Trainer:
    def __init__(self, rank=0, count=1):
        self.rank, self.count, self.pool = rank, count, Pool()
        torch.manual_seed(0)
        saved = torch.load(FILE if FILE.exists() else START, map_location=DEVICE) if FILE.exists() or START.exists() else {}
        self.before = 0 if "adam" in saved else saved.get("steps", 0)
        self.sampler = Sampler(self.pool, 1 + saved.get("steps", 0) + 100003 * rank, saved.get("vocab"))
        self.net, self.text = Transformer(v_scale(self.pool.vae)).to(DEVICE), TextEncoder(len(self.sampler.tokenizer.vocab)).to(DEVICE)
        named = [(f"net.{k}", p) for k, p in self.net.named_parameters()] + [(f"text.{k}", p) for k, p in self.text.named_parameters()]
        matrix = lambda k, p: p.dim() == 2 and k.startswith("net.") and "blocks." in k
        self.muon = Muon([p for k, p in named if matrix(k, p)], rank=rank, count=count)
        rest = [(k, p) for k, p in named if not matrix(k, p)]
        embedding = [p for k, p in rest if "token_embedding" in k]
        self.adam = torch.optim.AdamW([{"params": [p for k, p in rest if "token_embedding" not in k], "rate": 1.}, {"params": embedding, "rate": 3.}], LR, (.9, .98), weight_decay=.01)
        self.rest, self.all = [p for _, p in rest], [p for _, p in named]
        self.steps, self.seconds, self.losses = 0, 0., {}
        if not saved:
            self.text.token_embedding.weight.data.copy_(codes(self.sampler.tokenizer.vocab, TEXT))
        if saved:
            weights = saved if "net" in saved else saved["ema"]
            self.net.load_state_dict(weights["net"]), self.text.load_state_dict(weights["text"])
        self.ema = {"net": {k: v.clone() for k, v in self.net.state_dict().items()}, "text": {k: v.clone() for k, v in self.text.state_dict().items()}}
        if "adam" in saved:
            self.adam.load_state_dict(saved["adam"])
            self.muon.buffers, self.ema, self.steps, self.seconds, self.losses = (saved[k] for k in ("muon", "ema", "steps", "seconds", "losses"))
        self.flicker, self.mottle = Flicker(self.pool.vae).to(DEVICE), Mottle(self.pool.vae).to(DEVICE)
        self.plan = np.random.default_rng(5 + self.before + self.steps)
        torch.manual_seed(1 + rank)

    def save(self):
        temporary = FILE.with_suffix(".tmp")
        torch.save({"net": self.net.state_dict(), "text": self.text.state_dict(), "adam": self.adam.state_dict(), "muon": dict(self.muon.buffers), "ema": self.ema,
                    "steps": self.before + self.steps, "seconds": self.seconds, "losses": self.losses, "vocab": self.sampler.tokenizer.vocab}, temporary)
        temporary.rename(FILE)

    def predict(self, b):
        with torch.autocast(DEVICE, torch.bfloat16):
            rows = self.text(b["ids"], b["count"])
            texts = [torch.einsum("bm,mld->bld", mix, rows.float()) for mix in b["mix"]]
            return self.net(b["x"], b["t"], b["positions"], texts, b["spans"], b["context"], None, (b["x_begin"], b["t_begin"]))[0]

    def own(self, b):
        """Makes half of the rows later steps of the model's own prediction."""
        with torch.no_grad():
            y = self.predict(b)
        rng = self.sampler.rng
        for i in range(len(b["modes"])):
            if rng.random() < .5:
                s = float(rng.choice([.5, .75, .25], p=[.7, .15, .15]))
                b["x"][i], b["t"][i] = s * b["renoise"][i] + (1 - s) * y[i], 1000 * s
        return b

    def step(self, part):
        rng = self.plan
        wide = part > SMALL and len(self.pool.looks["wide"]) and rng.random() < .35
        # single chunks show more looks, clips and phrasings for the same work; n: rows of 8x8 latents
        layout = ["one3", "one4", "start", "mid"][rng.choice(4, p=[.5, .2, .14, .16] if part < SMALL else [.25, .12, .25, .38])]
        n = {"one3": 64, "one4": 48}.get(layout, 32)
        size, n = (8, n) if part < SMALL else ("wide", n // 16) if wide else (16, n // 4)
        b = move(self.sampler.batch(size, max(1, n // self.count), layout))
        if part > LATE and rng.random() < OWN:
            b = self.own(b)
        off = self.predict(b) - b["target"]
        error = off.square().mean((1, 2, 3, 4))
        ((error + CALM * self.flicker(off) + EVEN * self.mottle(off)) * b["weight"]).mean().backward()
        workers.average(self.all, self.count)
        torch.nn.utils.clip_grad_norm_(self.rest, 1.)
        rate = min(1, (self.steps + 1) / 60) * (1 if part < .38 else max(.03, 1 - .97 * (part - .38) / .62))
        for g in self.adam.param_groups:
            g["lr"] = LR * rate * g["rate"]
        self.adam.step(), self.muon.step(3 * LR * rate)
        self.adam.zero_grad(set_to_none=True), self.net.zero_grad(set_to_none=True)
        self.steps += 1
        decay = min(.997 if part < SMALL else .99, (self.steps + 1) / (self.steps + 20))
        with torch.no_grad():
            for model, kept in ((self.net, self.ema["net"]), (self.text, self.ema["text"])):
                torch._foreach_mul_(list(kept.values()), decay)
                torch._foreach_add_(list(kept.values()), list(model.state_dict().values()), alpha=1 - decay)
        return list(zip(b["modes"], error.detach().tolist()))


def means(log):
    """Mean loss of each mode and of all rows."""
    by = defaultdict(list)
    for mode, error in log:
        by[mode].append(error), by["all"].append(error)
    return {k: round(float(np.mean(by[k])), 3) for k in sorted(by)}


def work(rank, a):
    torch.set_num_threads(1 if DEVICE == "cpu" else 8)
    workers.join(rank, a.processes)
    t = Trainer(rank, a.processes)
    if rank == 0:
        print("clips", {k: len(v) for k, v in t.pool.looks.items()}, {k: len(v) for k, v in t.pool.text.items()}, "steps", t.before + t.steps, "parameters", sum(p.numel() for p in t.all), flush=True)
    log, saved, exported = [], time.time(), time.time()
    while (part := a.begin + (1 - a.begin) * workers.clock(t.seconds, a.processes) / 60 / a.minutes) < 1:
        began = time.time()
        log += t.step(part)
        t.seconds += time.time() - began
        if t.steps % 50 == 0:
            t.pool.refresh()
        if rank:
            continue
        if t.steps % 25 == 0:
            t.losses = means(log)
            print(t.before + t.steps, round(t.seconds), t.losses, "%.2f s" % (time.time() - began), "clips", len(t.pool.looks[16]), flush=True)
            log = []
        if time.time() - saved > 120:
            t.save()
            saved = time.time()
            if a.export and saved - exported > a.export * 60:
                exported = saved
                subprocess.Popen([sys.executable, "-m", "training.export", *([a.to] if a.to else [])])
    if rank == 0:
        t.save()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--minutes", type=float, default=80), p.add_argument("--processes", type=int, default=1 if DEVICE == "cuda" else 2)
    p.add_argument("--begin", type=float, default=0, help="share of the schedule to leave out, of weights that are trained already")
    p.add_argument("--export", type=float, default=0, help="minutes between exports while training; 0 for none"), p.add_argument("--to", default="")
    a = p.parse_args()
    workers.start(work, a, a.processes)


if __name__ == "__main__":
    main()
