"""Stage 4, transformer: python3 -m training.train [--minutes 50] [--processes 2].

Trains the transformer, its VACE branch and the text encoder together on latents. The schedule runs by elapsed time: small crops first, then larger
ones and whole pictures, lastly with the model's own predictions as context and as second-step input. Resumes from its checkpoint; time already
spent counts. On a CPU the batch is split over single-threaded processes that share weights and gradients in memory: on a busy machine this is about
twice as fast as threads, which wait for each other at every operation.
"""
import argparse
import datetime
import subprocess
import sys
import time

import numpy as np
import torch
import torch.distributed
import torch.multiprocessing

from .data import CACHE
from .export import v_scale
from .muon import Muon
from .sampler import Pool, Sampler
from .text_encoder import TextEncoder
from .transformer import Transformer

LR, FILE = 2e-3, CACHE / "transformer.pt"
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def share(rank, count):
    """Joins the group of processes."""
    torch.distributed.init_process_group("gloo", init_method="tcp://127.0.0.1:29517", rank=rank, world_size=count, timeout=datetime.timedelta(seconds=600))


def move(b):
    if DEVICE == "cpu":
        return b
    b = {k: v.to(DEVICE) if torch.is_tensor(v) else v for k, v in b.items()}
    b["context"] = [(r, a, z, c.to(DEVICE)) for r, a, z, c in b["context"]]
    return b


class Trainer:
    def __init__(self, rank=0, count=1):
        self.rank, self.count, self.pool = rank, count, Pool()
        torch.manual_seed(0)
        self.net, self.text = Transformer(v_scale(self.pool.vae)).to(DEVICE), TextEncoder().to(DEVICE)
        named = [(f"net.{k}", p) for k, p in self.net.named_parameters()] + [(f"text.{k}", p) for k, p in self.text.named_parameters()]
        matrix = lambda k, p: p.dim() == 2 and k.startswith("net.") and "blocks." in k
        self.muon = Muon([p for k, p in named if matrix(k, p)], rank=rank, count=count)
        rest = [(k, p) for k, p in named if not matrix(k, p)]
        embedding = [p for k, p in rest if "token_embedding" in k]
        self.adam = torch.optim.AdamW([{"params": [p for k, p in rest if "token_embedding" not in k], "rate": 1.}, {"params": embedding, "rate": 3.}], LR, (.9, .98), weight_decay=.01)
        self.rest = [p for _, p in rest]
        self.steps, self.seconds, self.loss = 0, 0., float("nan")
        self.ema = {"net": {k: v.clone() for k, v in self.net.state_dict().items()}, "text": {k: v.clone() for k, v in self.text.state_dict().items()}}
        if FILE.exists():
            s = torch.load(FILE, map_location=DEVICE)
            self.net.load_state_dict(s["net"]), self.text.load_state_dict(s["text"]), self.adam.load_state_dict(s["adam"])
            self.muon.buffers, self.ema, self.steps, self.seconds, self.loss = s["muon"], s["ema"], s["steps"], s["seconds"], s["loss"]
        self.sampler = Sampler(self.pool, 1 + self.steps + 100003 * rank)
        self.plan = np.random.default_rng(5 + self.steps)
        torch.manual_seed(1 + rank)
        self.all = [p for _, p in named]

    def save(self):
        temporary = FILE.with_suffix(".tmp")
        torch.save({"net": self.net.state_dict(), "text": self.text.state_dict(), "adam": self.adam.state_dict(), "muon": dict(self.muon.buffers), "ema": self.ema,
                    "steps": self.steps, "seconds": self.seconds, "loss": self.loss}, temporary)
        temporary.rename(FILE)

    def average(self):
        """Mean of the gradients over the processes."""
        if self.count == 1:
            return
        for p in self.all:
            if p.grad is None:
                p.grad = torch.zeros_like(p)
        flat = torch.cat([p.grad.flatten() for p in self.all])
        torch.distributed.all_reduce(flat)
        flat /= self.count
        for p, g in zip(self.all, flat.split([p.numel() for p in self.all])):
            p.grad.copy_(g.view_as(p))

    def predict(self, b):
        with torch.autocast(DEVICE, torch.bfloat16):
            y, _ = self.net(b["x"], b["t"], b["positions"], self.text(b["ids"], b["count"]), b["spans"], b["context"])
        return y[:, :, :b["noisy"]]

    def own(self, b):
        """Replaces part of the inputs by the model's own prediction: second steps on half of the rows, the context on the others."""
        with torch.no_grad():
            y = self.predict(b)
        rng, (n, _, f) = self.sampler.rng, y.shape[:3]
        for i in range(n - b["text_only"]):
            if rng.random() < .5:
                b["x"][i, :, :f] = .5 * y[i] + .5 * torch.randn_like(y[i])
                b["t"][i, :f] = 500
        if b["x"].shape[2] > f:
            a, z = b["chunks"][0]
            b["x"][:, :, f:] = torch.where(torch.rand(n, 1, 1, 1, 1, device=y.device) < .6, y[:, :, a:z], b["x"][:, :, f:])
        return b

    def step(self, part):
        rng = self.plan
        if part < .60:
            layout = ["one3", "one4", "start", "mid"][rng.choice(4, p=[.32, .13, .2, .35])]
            size, n = 8, 48 if layout.startswith("one") else 32
        else:
            layout = ["one4", "start", "mid"][rng.choice(3, p=[.12, .38, .5])]
            size, n = ("wide", 2) if self.pool.wide and rng.random() < .25 else (16, 8)
        n = max(1, n // self.count)
        b = move(self.sampler.batch(size, n, layout))
        if part > .62 and rng.random() < .25:
            b = self.own(b)
        error = (self.predict(b) - b["target"].to(DEVICE)).square()
        loss = error.mean()
        loss.backward()
        self.average()
        torch.nn.utils.clip_grad_norm_(self.rest, 1.)
        rate = min(1, (self.steps + 1) / 60) * (1 if part < .38 else max(.03, 1 - .97 * (part - .38) / .62))
        for g in self.adam.param_groups:
            g["lr"] = LR * rate * g["rate"]
        self.adam.step(), self.muon.step(3 * LR * rate)
        self.adam.zero_grad(set_to_none=True), self.net.zero_grad(set_to_none=True)
        self.steps += 1
        decay = min(.997 if part < .6 else .99, self.steps / (self.steps + 20))
        with torch.no_grad():
            for model, kept in ((self.net, self.ema["net"]), (self.text, self.ema["text"])):
                torch._foreach_mul_(list(kept.values()), decay)
                torch._foreach_add_(list(kept.values()), list(model.state_dict().values()), alpha=1 - decay)
        v = b["vace"]
        return float(loss), float(error[:v].mean()), float(error[v:].mean())


def work(rank, a):
    torch.set_num_threads(a.threads)
    if a.processes > 1:
        share(rank, a.processes)
    t = Trainer(rank, a.processes)
    if rank == 0:
        print("clips", len(t.pool.square), len(t.pool.wide), "steps", t.steps, "parameters", sum(p.numel() for p in t.all), flush=True)
    log, saved, exported = [], time.time(), time.time() - a.export * 60 + 240
    clock = torch.tensor([t.seconds])
    while (part := float(clock) / 60 / a.minutes) < 1:
        began = time.time()
        log.append(t.step(part))
        t.seconds += time.time() - began
        clock[0] = t.seconds
        if a.processes > 1:
            torch.distributed.broadcast(clock, 0)
        if t.steps % 200 == 0:
            t.pool.refresh()
        if rank:
            continue
        if t.steps % 25 == 0:
            t.loss = float(np.nanmean([l[0] for l in log]))
            print(t.steps, round(t.seconds), "loss %.3f vace %.3f normal %.3f" % tuple(np.nanmean(log, 0)), "%.2f s" % (t.seconds / t.steps), "clips", len(t.pool.square), flush=True)
            log = []
        if time.time() - saved > 150:
            t.save()
            saved = time.time()
            if saved - exported > a.export * 60:
                exported = saved
                subprocess.Popen([sys.executable, "-m", "training.export"])
    if rank == 0:
        t.save()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--minutes", type=float, default=50), p.add_argument("--threads", type=int, default=1), p.add_argument("--processes", type=int, default=1 if DEVICE == "cuda" else 2)
    p.add_argument("--export", type=float, default=15)
    a = p.parse_args()
    torch.multiprocessing.spawn(work, (a,), a.processes) if a.processes > 1 else work(0, a)


if __name__ == "__main__":
    main()
