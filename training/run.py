"""The whole run: python3 -m training.run [--minutes 90] [--shards 300]. Every stage resumes; stages that are done cost nothing.

With a GPU the operators, the autoencoder's training and the transformer's take minutes; the clips are drawn on the CPU, one process a core. Training
starts with the first quarter of the shards and takes in the others as they come.
"""
import argparse
import os
import subprocess
import sys
import time

from .data import CACHE


def start(module, *arguments):
    return subprocess.Popen([sys.executable, "-m", f"training.{module}", *map(str, arguments)])


def wait(processes):
    for p in processes:
        if p.wait():
            sys.exit(f"{' '.join(p.args[2:])} ended with {p.returncode}")


def spread(what, shards, workers):
    return [start("data", what, "--shards", shards, "--worker", k, "--of", workers) for k in range(workers)]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--minutes", type=float, default=90), p.add_argument("--shards", type=int, default=300), p.add_argument("--workers", type=int, default=os.cpu_count())
    a = p.parse_args()
    if not (CACHE / "vae.pt").exists():
        wait(spread("pixels", 16, a.workers))
        wait([start("autoencoder", "--minutes", max(1, a.minutes / 8))])
    wait(spread("text", 40, a.workers))
    wait(spread("dreams", 32, a.workers))
    data = spread("looks", a.shards, a.workers)
    while len(list(CACHE.glob("looks-*.npy"))) < a.shards / 4 and any(d.poll() is None for d in data):
        time.sleep(1)
    wait([start("train", "--minutes", a.minutes)])
    wait(data)
    # the decoder is finished on what this transformer makes
    wait([start("export", CACHE / "model")])
    wait([start("finish", "data", "--model", CACHE / "model", "--worker", k, "--of", a.workers) for k in range(a.workers)])
    wait([start("finish", "train", "--minutes", a.minutes * .4)])
    wait([start("unknown", "--model", CACHE / "model")])
    wait([start("export")])


if __name__ == "__main__":
    main()
