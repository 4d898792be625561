"""The Node process that runs the shipped runtime. Jobs wait in a queue of one, so that figures are computed while the next video is made."""
import json
import os
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
# Live parameters of the two ways to take an input video, and of none.
MODES = {"normal": {"input_mode": "video", "vace_enabled": False, "noise_scale": .7}, "vace": {"input_mode": "video", "vace_enabled": True}, "text": {"input_mode": "text"}}
# The autoencoder alone: noised input without noise takes no step.
AUTOENCODER = {"input_mode": "video", "vace_enabled": False, "noise_scale": 0}
CHUNK = 12
SEED = 42


@dataclass
class Output:
    frames: np.ndarray  # u8 [n, h, w, 3]
    starts: list  # number of each chunk's first frame
    chunk_ms: list


def first_frames(parameters):
    """Frames of a stream's first chunk: noised input begins with one latent more than a condition or a prompt alone."""
    noised = parameters["input_mode"] == "video" and not (parameters.get("vace_enabled") and parameters.get("vace_use_input_video", True))
    return 13 if noised else 9


class Runner:
    def __init__(self, model, threads=None):
        node = os.environ.get("EVERFRAME_NODE") or shutil.which("node")
        command = [node, "scripts/run.mjs", "training/evaluation/runner.ts", str(Path(model).resolve()), *([str(threads)] if threads else [])]
        self.folder = tempfile.TemporaryDirectory(prefix="evaluate-")
        self.node = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.queue, self.files, self.jobs = ThreadPoolExecutor(1), {}, 0

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.queue.shutdown(cancel_futures=True)
        self.node.communicate()
        self.folder.cleanup()

    def submit(self, parameters, prompts, video=None, size=None, chunks=None, references=None, keep=None, seed=SEED):
        """A future Output. video: u8 [n, h, w, 3], of which as many whole chunks are made as it has; or `size` (width, height) and `chunks`."""
        first = first_frames(parameters)
        width, height = size or (video.shape[2], video.shape[1])
        chunks = chunks or 1 + (len(video) - first) // CHUNK
        prompts = [{"text": t, "weight": w} for t, w in prompts] if isinstance(prompts, list) else prompts
        job = {"width": width, "height": height, "seed": seed, "chunks": chunks, "first": first, "parameters": {**parameters, "prompts": prompts}}
        if video is not None:
            job["input"] = self.file(video)
        if references is not None:
            job["references"] = [{"path": self.file(r[None]), "width": r.shape[1], "height": r.shape[0]} for r in references]
        if keep is not None:
            job["keep"] = list(keep)
        self.jobs += 1
        job["output"] = str(Path(self.folder.name) / f"out-{self.jobs}")
        return self.queue.submit(self.run, job)

    def file(self, pixels):
        """Raw pixels as a file; the same array is written once."""
        if id(pixels) not in self.files:
            path = str(Path(self.folder.name) / f"in-{len(self.files)}")
            np.ascontiguousarray(pixels).tofile(path)
            self.files[id(pixels)] = path, pixels
        return self.files[id(pixels)][0]

    def run(self, job):
        try:
            self.node.stdin.write(json.dumps(job) + "\n")
            self.node.stdin.flush()
            line = self.node.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise RuntimeError("The Node process has ended; its last words are above.")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(f"The runtime failed: {answer['error']} ({json.dumps(job['parameters'])})")
        for notice in answer["notices"]:
            print("notice:", notice, flush=True)
        frames = np.fromfile(job["output"], np.uint8).reshape(-1, job["height"], job["width"], 3)
        os.unlink(job["output"])
        return Output(frames, [int(s) for s in np.cumsum([0, *answer["frames"][:-1]])], answer["chunkMs"])
